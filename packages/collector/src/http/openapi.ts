import type { Parameter, Route } from './route.ts'

const ERROR = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string', description: 'for programs' },
        message: { type: 'string', description: 'what, and why' },
        advice: { type: 'string', description: 'what to do next' },
      },
    },
  },
} as const

const refused = (description: string) => ({
  description,
  content: { 'application/json': { schema: ERROR } },
})

/** `GET /api/openapi.json`: all routes, this one included, as OpenAPI 3.1 describes them. */
export function openApiRoute(routes: readonly Route[], version: string): Route {
  const own: Route = {
    method: 'GET',
    path: '/api/openapi.json',
    role: 'open',
    name: 'describe',
    summary: 'What can be asked here (this document).',
    answer: { type: 'object' },
    handle: async () => Response.json(document),
  }
  const document = describe([...routes, own], version)
  return own
}

function describe(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    paths[route.path] ??= {}
    paths[route.path]![route.method.toLowerCase()] = operation(route)
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Clew collector', version, license: { name: 'Apache-2.0' } },
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  }
}

function operation(route: Route): object {
  const {
    name,
    summary,
    parameters = [],
    body,
    answer,
    role,
    produces = 'application/json',
  } = route
  const content = { [produces]: answer === undefined ? {} : { schema: answer } }
  return {
    ...{ operationId: name, summary },
    'x-role': role,
    ...(role !== 'open' && { security: [{ token: [] }, {}] }),
    ...(parameters.length > 0 && { parameters: parameters.map(parameter) }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: body } } },
    }),
    responses: {
      200: { description: 'as asked', content },
      '4XX': refused('the request cannot be answered as it is'),
      '5XX': refused('the collector cannot answer now'),
    },
  }
}

const parameter = ({ name, in: place, description, required, schema }: Parameter) => ({
  ...{ name, in: place, description, schema },
  required: required ?? place === 'path',
})
