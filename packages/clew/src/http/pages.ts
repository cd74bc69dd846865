/** The page that werkzeug answers with where no method of a service is asked. */
export function page(status: keyof typeof PAGES, headers?: Readonly<Record<string, string>>) {
  const [name, description] = PAGES[status]
  return html(
    status,
    `<title>${status} ${name}</title>\n<h1>${name}</h1>\n<p>${description}</p>\n`,
    headers,
  )
}

/** @param location an absolute URL */
export function redirectPage(location: string): Response {
  const link = escaped(location)
  return html(
    308,
    `<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be redirected automatically to the target URL: <a href="${link}">${link}</a>. If not, click the link.\n`,
    { location },
  )
}

const PAGES = {
  400: [
    'Bad Request',
    'The browser (or proxy) sent a request that this server could not understand.',
  ],
  404: [
    'Not Found',
    'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.',
  ],
  405: ['Method Not Allowed', 'The method is not allowed for the requested URL.'],
} as const

function html(status: number, body: string, headers: Readonly<Record<string, string>> = {}) {
  return new Response(`<!doctype html>\n<html lang=en>\n${body}`, {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', ...headers },
  })
}

function escaped(text: string): string {
  const names: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/gu, (character) => names[character]!)
}
