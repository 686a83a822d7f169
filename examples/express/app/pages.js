import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import express from 'express'

/** @param {string} name */
const file = (name) => fileURLToPath(new URL(`../page/${name}`, import.meta.url))

/** The pages of the app: an HTML file, and a script bundled as any front end is. */
export async function pages() {
  const { outputFiles } = await build({
    entryPoints: [file('client.js')],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    // Bundle the packages as they are published; the configuration of this repository names their sources.
    tsconfigRaw: {},
  })
  const script = outputFiles[0]?.text
  const router = express.Router()
  router.use((_req, res, next) => {
    res.set('Content-Security-Policy', "default-src 'self'").set('X-Content-Type-Options', 'nosniff')
    next()
  })
  router.get('/', (_req, res) => res.sendFile(file('index.html')))
  router.get('/page.css', (_req, res) => res.sendFile(file('page.css')))
  router.get('/client.js', (_req, res) => void res.type('js').send(script))
  return router
}
