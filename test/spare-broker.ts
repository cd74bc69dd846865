import assert from 'node:assert/strict'

/** Where a private RabbitMQ can be told to end; undefined when it is not ours. */
export const control = process.env.CLEW_RABBITMQ_CONTROL

/** Another private broker, for tests that end it. */
export async function spareBroker(): Promise<{ url: string; tell(action: string): Promise<void> }> {
  const answer = await fetch(`${control}/spare`, { method: 'POST' })
  const spare = (await answer.json()) as { url: string; control: string }
  return {
    url: spare.url,
    async tell(action) {
      const told = await fetch(`${spare.control}/${action}`, { method: 'POST' })
      assert.ok(told.ok, `${action}: ${await told.text()}`)
    },
  }
}
