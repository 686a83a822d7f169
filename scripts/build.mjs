import { install, pnpm } from './pnpm.mjs'

install()
pnpm('-r', '--filter', './packages/*', 'run', 'build')
