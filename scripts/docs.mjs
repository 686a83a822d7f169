import { install, root, run } from './pnpm.mjs'

install()
run(process.execPath, [`${root}node_modules/typedoc/bin/typedoc`, ...process.argv.slice(2)])
