import { bundleSources } from '../support/bundle.mjs'

/** Bundles an entry of the simulation, changed by `plugins` on its way, and answers with the file. */
export async function bundle(root, name, entry, plugins = []) {
  const outfile = `${root}node_modules/.cache/simulation/${name}.cjs`
  await bundleSources(root, `tests/simulation/${entry}.ts`, outfile, plugins)
  return outfile
}
