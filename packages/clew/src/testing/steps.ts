// Single steps of what is done for every call, as `bench/` measures them one by one: `clew/testing/steps`.
// They follow the code: no other version need have them.
export type { Message } from '../broker/message.ts'
export {
  ATTACHABLE_KEY,
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
} from '../broker/wire.ts'
export {
  ById,
  ContextValues,
  ErrorRegistry,
  NewTable,
  newCallId,
  newHalfId,
  telling,
  UnderWay,
  WORK_OBSERVER,
} from '../call/index.ts'
export { shortId } from '../profile/call-id.ts'
export { microseconds } from '../profile/clock.ts'
export { makeTraceparent, readTraceContext, traceHeaders } from '../profile/trace-context.ts'
