/** Builds the bench into bench/dist. */
export function bundleBench(): Promise<void>
