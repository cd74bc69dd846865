import { proxy, rpc } from 'clew'

/** Hands out numbers. */
export class IdService {
  static readonly name = 'id_service'
  static #last = 0

  @rpc getId(): number {
    IdService.#last += 1
    return IdService.#last
  }
}

/** Listing 1 of the paper: greets, with a number it asks another service for. */
export class GreetingService {
  static readonly name = 'greeting_service'
  ids = proxy<IdService>('id_service')

  @rpc async hello(name: string): Promise<string> {
    return `Hello, ${name} with id ${await this.ids.getId()}`
  }
}
