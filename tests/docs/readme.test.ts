import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { emptyFolder, root, runTool } from '../packaging/packages.js'

/** What the programs of a README take from the app that they stand in. */
const APP = `
import type { IncomingMessage, Server } from 'node:http'
import type { Express } from 'express'
import type { IMessage } from '@kithwire/protocol'
declare const app: Express
declare function userOfSession(req: IncomingMessage): { id: string } | null
declare function show(message: IMessage): void
declare const conversation: string
`

/** The blocks of TypeScript in a document. */
const programs = (path: string) =>
  [...readFileSync(join(root, path), 'utf8').matchAll(/^```ts\n(.*?)^```/gms)].map(([, program]) => program!)

it.each(['README.md', 'docs/mongodb.md', 'packages/client/README.md', 'packages/server/README.md'])(
  'the programs of %s compile as they stand',
  (path) => {
    using folder = emptyFolder()
    symlinkSync(join(root, 'tests/node_modules'), join(folder.path, 'node_modules'))
    const files = programs(path).map((program, index) => {
      const file = join(folder.path, `program-${index}.mts`)
      writeFileSync(file, `${program}\n${APP}\nexport {}\n`)
      return file
    })
    expect(files.length).toBeGreaterThan(0)
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck']
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = runTool(process.execPath, [tsc, ...options, ...types, ...files], folder.path)
    expect(stdout).toBe('')
  },
)

it('the program of the README is the one that examples/express runs', () => {
  const example = ['examples/express/server.js', 'examples/express/page/client.js'].flatMap((path) =>
    lines(readFileSync(join(root, path), 'utf8')),
  )
  for (const line of programs('README.md').flatMap(lines)) expect(example).toContain(line)
})

/** The statements of a program, without comments and with any address, port and place alike. */
function lines(program: string): string[] {
  return program
    .split('\n')
    .map((line) => line.replace(/(^|\s)\/\/ .*$/, '').trim())
    .map((line) => line.replace(/WsRequest\(.*\)$/, 'WsRequest(…)').replace(/listen\(.*\)$/, 'listen(…)'))
    .map((line) =>
      line.replace("sqlite(join(DATA, 'chat.db'))", "sqlite('data/chat.db')").replace("content: 'hello'", 'content'),
    )
    .filter((line) => line !== '')
}
