import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readParameters } from './parameters.ts'
import { anyText, number, oneOf, someOf, wholeNumber, wholeNumbers } from './readers.ts'
import { readSuiteOptions } from './suite-options.ts'

const read = (...parameters: string[]) =>
  readParameters(parameters, {
    flags: ['json', 'quick'],
    values: {
      rounds: wholeNumber(1, 5000),
      sizes: wholeNumbers(1, 100),
      window: number(0.5, 2),
      kind: oneOf(['fast', 'slow']),
      systems: someOf(['first', 'second', 'third']),
      file: anyText,
    },
  })

test('parameters become flags and values', () => {
  assert.deepEqual(read(), { flags: { json: false, quick: false }, values: {} })
  assert.deepEqual(read('--json', '--rounds', '3').flags, { json: true, quick: false })
  const { values } = read(
    ...['--rounds=5,000', '--sizes', '50,1,50,10', '--window', '0.5', '--kind', 'slow'],
    ...['--systems', 'third,first', '--file', 'a b'],
  )
  assert.deepEqual(values, {
    ...{ rounds: 5000, sizes: [1, 10, 50], window: 0.5, kind: 'slow' },
    ...{ systems: ['first', 'third'], file: 'a b' },
  })
  assert.deepEqual(read('--rounds', '1', '--rounds', '2').values, { rounds: 2 })
})

test('what is wrong is named, with what is right', () => {
  const wrong = (parameters: string, message: string) =>
    assert.throws(() => read(...parameters.split(' ')), { message: `${message}; see --help` })
  wrong('--unknown', 'there is no option --unknown')
  wrong('-q', 'there is no option -q')
  wrong('--no-json', 'there is no option --no-json')
  wrong('--toString', 'there is no option --toString')
  wrong('quick', '"quick" belongs to no option')
  wrong('--json=3', '--json takes no value, but got "3"')
  wrong('--rounds', '--rounds lacks its value')
  for (const bad of ['x', '-1', '0', '1.5', '5001', '1,2', '1e3', ' 3']) {
    const message = `--rounds takes a whole number from 1 to 5000, not "${bad}"; see --help`
    assert.throws(() => read('--rounds', bad), { message })
  }
  wrong('--rounds=', '--rounds takes a whole number from 1 to 5000, not ""')
  wrong('--sizes 1,,2', '--sizes takes whole numbers from 1 to 100, not ""')
  wrong('--sizes 1,x', '--sizes takes whole numbers from 1 to 100, not "x"')
  wrong('--window 3', '--window takes a number from 0.5 to 2, not "3"')
  wrong('--window=', '--window takes a number from 0.5 to 2, not ""')
  wrong('--kind slower', '--kind takes fast or slow, not "slower"')
  wrong('--systems first,forth', '--systems takes some of first, second, third, not "forth"')
  wrong('--file=', '--file takes a text that is not empty')
})

test('a suite writes the documents only in its full form, or when told to', () => {
  const writes = (...parameters: string[]) =>
    readSuiteOptions(parameters, { rounds: wholeNumber(1, 9) }).write
  assert.equal(writes(), true)
  for (const one of [['--quick'], ['--json'], ['--rounds', '3']]) {
    assert.equal(writes(...one), false)
    assert.equal(writes(...one, '--write'), true)
  }
})
