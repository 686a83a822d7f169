import { readFile, writeFile } from 'node:fs/promises'
import { bundleSources } from '../support/bundle.mjs'

/** Bundles an entry of the simulation, changed by `plugins` on its way, and answers with the file. */
export async function bundle(root, name, entry, plugins = []) {
  const outfile = `${root}node_modules/.cache/simulation/${name}.cjs`
  await bundleSources(root, `tests/simulation/${entry}.ts`, outfile, plugins)
  await writeFile(outfile, youngClosures(await readFile(outfile, 'utf8')))
  return outfile
}

/** `a.b = (…) =>`, also with a private name or a computed one. */
const ASSIGNED_CLOSURE = /((?:\b\w+\.#?\w+|\b\w+\[\w+\]) = )(?=(?:async )?\([^()]*(?:\(\))?[^()]*\) => )/g

/**
 * V8 takes a function that is assigned to a property for one that lives long, and puts it into the old generation
 * (`FunctionLiteral::pretenure`). Here it lives as long as its seed, and through it the whole seed survives every
 * collection of the young one. A variable in between leaves it young, and changes nothing else.
 */
const youngClosures = (code) => `var $young;${code.replace(ASSIGNED_CLOSURE, '$1$young = ')}`
