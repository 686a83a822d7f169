import { install, pnpm, root, run } from './pnpm.mjs'

install()
pnpm('-r', '--filter', './packages/*', 'run', 'build')
const { bundleBench } = await import('../bench/bundle.mjs')
await bundleBench()
const args = process.argv.slice(2)
run(process.execPath, [`${root}bench/dist/${args.includes('--growth') ? 'growth' : 'main'}.mjs`, ...args])
