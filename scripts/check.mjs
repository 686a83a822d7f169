import { checks, vitest } from './checks.mjs'
import { install } from './pnpm.mjs'

install()
for (const [name, check] of [...checks, ['unit tests', () => vitest('--project', 'unit')]]) {
  console.log(`\n── ${name}`)
  if (!check()) process.exit(1)
}
