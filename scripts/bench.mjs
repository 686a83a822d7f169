import { install, pnpm, root, run } from './pnpm.mjs'

install()
pnpm('-r', '--filter', './packages/*', 'run', 'build')
const { bundleBench } = await import('../bench/bundle.mjs')
await bundleBench()
run(process.execPath, [`${root}bench/dist/main.mjs`, ...process.argv.slice(2)])
