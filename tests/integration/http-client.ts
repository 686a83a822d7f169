import { request } from 'node:http'

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came.
  json: any
}

/** One request with the headers given and no others, as fetch does not allow. A body that is no string goes as JSON. */
export function call(
  port: number,
  method: string,
  path: string,
  { user, body, headers = {} }: { user?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const all: Record<string, string | number> = { ...(user === undefined ? {} : { 'x-user': user }) }
  if (text !== undefined)
    Object.assign(all, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text as string) })
  return new Promise((resolve, reject) => {
    const sent = request(
      { port, host: '127.0.0.1', method, path, headers: { ...all, ...headers }, agent: false },
      (response) => {
        let answer = ''
        response.setEncoding('utf8')
        response.on('data', (chunk) => {
          answer += chunk
        })
        response.on('end', () => {
          let json: unknown
          try {
            json = JSON.parse(answer)
          } catch {}
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: answer, json })
        })
        response.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(text)
  })
}
