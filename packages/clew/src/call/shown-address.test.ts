import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shownAddress } from './shown-address.ts'

test('an address is told without user, password and parameters, however they are written', () => {
  for (const [address, shown] of [
    ['postgres://me:secret@host:5432/store', 'postgres://host:5432/store'],
    ['postgres://me:sec@ret@host/store', 'postgres://host/store'],
    ['postgres://me:sec/ret@host/store', 'postgres://host/store'],
    ['postgres://me:sec?ret@host/store', 'postgres://host/store'],
    ['postgres://me@host/store?password=secret', 'postgres://host/store'],
    ['redis://:secret@host:6379/11', 'redis://host:6379/11'],
    ['redis:me:secret@host', 'redis:host'],
    ['postgres:///store', 'postgres:///store'],
    ['pglite:./folder', 'pglite:./folder'],
    ['host=host password=secret', 'text that is no address'],
    ['secret', 'text that is no address'],
    ['', 'text that is no address'],
  ]) {
    assert.equal(shownAddress(address!), shown)
  }
})
