import { proxy, rpc, type ServiceClass } from 'clew'

/** What every stage offers. */
export interface Stage {
  process_item(item: number): Promise<number>
}

/** `pipeline_001`: twelve characters, as the names of the methods are. */
export function stageName(position: number): string {
  return `pipeline_${String(position).padStart(3, '0')}`
}

/** Services in a row: each hands the item to the next one, the last one sends it back doubled. */
export function pipeline(length: number): readonly ServiceClass[] {
  return Array.from({ length }, (_, index) => stage(index + 1, length))
}

function stage(position: number, length: number): ServiceClass {
  return class implements Stage {
    static readonly name = stageName(position)
    next = proxy<Stage>(stageName(position + 1))

    @rpc async process_item(item: number): Promise<number> {
      return position === length ? item * 2 : await this.next.process_item(item)
    }
  }
}

/** For `clew run examples/pipeline/services.ts`; PIPELINE_LENGTH says how many. */
export const services = pipeline(Number(process.env.PIPELINE_LENGTH ?? 10))
