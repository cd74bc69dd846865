import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bindArguments, parametersOf } from './signature.ts'

const NONE = {}

class Sample {
  none() {}
  two(_first: string, _second: number) {}
  optional(_first: string, _second = ')', _third = { a: [1, 2] }) {}
  rest(_first: string, ..._others: string[]) {}
  async destructured({ a: _a }: { a: number }, [_b]: number[] = [1, 2]) {}
  /* a ( in a comment */ commented(_first: string /* , */, _second: string) {}
}

function parameters(name: keyof Sample) {
  return parametersOf(Sample.prototype[name] as (...args: never[]) => unknown)
}

describe('parametersOf', () => {
  it('counts what must and what may be given', () => {
    const counted = (name: keyof Sample) => {
      const { required, most } = parameters(name)
      return [required, most]
    }
    assert.deepEqual(counted('none'), [0, 0])
    assert.deepEqual(counted('two'), [2, 2])
    assert.deepEqual(counted('optional'), [1, 3])
    assert.deepEqual(counted('rest'), [1, Number.POSITIVE_INFINITY])
    assert.deepEqual(counted('destructured'), [1, 2])
    assert.deepEqual(counted('commented'), [2, 2])
  })

  it('knows the names', () => {
    assert.deepEqual(parameters('two').names, ['_first', '_second'])
    assert.deepEqual(parameters('destructured').names, [undefined, undefined])
  })

  it('makes no claim about what it cannot read', () => {
    const native = Math.max as unknown as (...args: never[]) => unknown
    assert.equal(parametersOf(native).most, 0, 'native code shows an empty list')
    assert.equal(parametersOf(((a: number) => a) as (...args: never[]) => unknown).required, 1)
    // The brackets and quotes are text, not structure.
    class Tricky {
      closing(_a = /\)/u, _b = '') {}
      quotes(_a = /['"`]/u, _b = '') {}
      nested(_a = `${`)`}`, _b = '') {}
    }
    const { closing, quotes, nested } = Tricky.prototype
    for (const method of [closing, quotes, nested]) {
      assert.equal(parametersOf(method).most, Number.POSITIVE_INFINITY, String(method))
    }
  })
})

describe('bindArguments', () => {
  const two = parameters('two')
  const problem = (args: unknown[], kwargs: object = NONE, params?: string[]) => {
    const bound = bindArguments('two', two, params, {
      args,
      kwargs: kwargs as Record<string, unknown>,
    })
    return 'problem' in bound ? bound.problem : undefined
  }

  it("says what is missing in Python's words", () => {
    assert.equal(
      problem([]),
      "two() missing 2 required positional arguments: '_first' and '_second'",
    )
    assert.equal(problem(['x']), "two() missing 1 required positional argument: '_second'")
  })

  it('refuses more than the method takes', () => {
    assert.equal(problem(['x', 1, 2]), 'two() takes 2 positional arguments but 3 were given')
  })

  it('matches keyword arguments with declared names', () => {
    const bound = bindArguments('two', two, ['first', 'second'], {
      args: ['x'],
      kwargs: { second: 2 },
    })
    assert.deepEqual(bound, { args: ['x', 2] })
  })

  it('refuses unknown, doubled and missing keywords', () => {
    const names = ['first', 'second']
    assert.match(problem(['x'], { third: 1 }, names) ?? '', /unexpected keyword argument 'third'/)
    assert.match(
      problem(['x', 2], { first: 1 }, names) ?? '',
      /multiple values for argument 'first'/,
    )
    assert.match(problem([], { second: 2 }, names) ?? '', /missing 1 .*'first'/)
  })

  it('hands undeclared keywords over as one object', () => {
    const bound = bindArguments('two', two, undefined, { args: ['x'], kwargs: { a: 1 } })
    assert.deepEqual(bound, { args: ['x', { a: 1 }] })
  })
})
