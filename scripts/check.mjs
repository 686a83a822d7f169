import { install, pnpm } from './pnpm.mjs'

install()
pnpm('exec', 'biome', 'check', '--error-on-warnings', '.')
pnpm('exec', 'tsc', '-p', '.')
pnpm('exec', 'vitest', 'run', '--project', 'unit')
