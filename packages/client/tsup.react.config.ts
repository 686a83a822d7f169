import { defineConfig } from 'tsup'

/** Entries that use the client's own, whichever build the app gets; so these are made after it. */
export default defineConfig({
  target: 'es2022',
  entry: { friends: 'src/friends.ts', react: 'src/react/index.ts' },
  format: ['esm', 'cjs'],
  dts: true,
  platform: 'neutral',
  splitting: false,
  external: ['@kithwire/client'],
})
