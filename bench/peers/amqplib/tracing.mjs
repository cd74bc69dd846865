// OpenTelemetry as its documentation sets it up, loaded before anything that it instruments: every
// trace sampled, W3C propagation, the batch processor with its default settings, OTLP as protobuf over
// HTTP. Of metrics and logs nothing is sent.
import { register } from 'node:module'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { AmqplibInstrumentation } from '@opentelemetry/instrumentation-amqplib'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace'

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url)

/** Begins to trace; gives what sends everything that is still here. */
export function startTracing({ service, sink }) {
  const exporter = new OTLPTraceExporter({ url: `${sink}/v1/traces` })
  const processor = new BatchSpanProcessor({ exporter })
  const sdk = new NodeSDK({
    serviceName: service,
    spanProcessors: [processor],
    instrumentations: [new AmqplibInstrumentation()],
    metricReaders: [],
    logRecordProcessors: [],
  })
  sdk.start()
  return () => processor.forceFlush()
}
