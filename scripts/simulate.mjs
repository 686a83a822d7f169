import { pathToFileURL } from 'node:url'
import { install, root } from './pnpm.mjs'

install()
const { bundle } = await import('../tests/simulation/bundle.mjs')
const cli = await import(pathToFileURL(await bundle(root, 'cli', 'cli')))
process.exitCode = await cli.default.main(process.argv.slice(2), { root, bundle })
