// Compiled, never run: what `@websocket` takes.
import { hub, websocket } from 'clew/websocket'

export class Chat {
  static readonly name = 'chat'
  hub = hub()
  @websocket nothing(_socketId: string): void {}
  @websocket object(_socketId: string, _given: { room: string; size?: number }): void {}
  @websocket({ name: 'other' }) optional(_socketId: string, _given?: { room: string }): void {}
  @websocket({ params: ['room', 'size'] }) named(
    _socketId: string,
    _room: string,
    _size = 1,
  ): void {}
  @websocket async result(_socketId: string): Promise<{ rooms: string[] }> {
    return { rooms: this.hub.getSubscriptions(_socketId) }
  }

  // @ts-expect-error what asks is a socket, named by a text
  @websocket number(_socketId: number): void {}
  // @ts-expect-error data without names are an object
  @websocket text(_socketId: string, _room: string): void {}
  // @ts-expect-error nor are there two of them
  @websocket two(_socketId: string, _one: object, _two: object): void {}
  // @ts-expect-error a Date does not travel as JSON
  @websocket since(_socketId: string, _given: { at: Date }): void {}
  // @ts-expect-error nor do Maps in results
  @websocket index(_socketId: string): Map<string, string> {
    return new Map()
  }
  // @ts-expect-error functions do not travel
  @websocket({ params: ['done'] }) callback(_socketId: string, _done: () => void): void {}
}
