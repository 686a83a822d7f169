import type { Plugin } from 'esbuild'

export function bundleSources(root: string, entry: string, outfile: string, plugins?: Plugin[]): Promise<void>
