import { writeFileSync } from 'node:fs'

/** What a long run found, for whoever collects such runs. */
export interface Summary {
  name: string
  runs: number
  violations: number
  hangs: number
  seconds: number
  details: Record<string, unknown>
}

/** Prints a summary, and writes it to the file that `REPORT` names. */
export function summarize(summary: Summary): void {
  console.log(JSON.stringify(summary))
  if (process.env.REPORT) writeFileSync(process.env.REPORT, `${JSON.stringify(summary, null, 2)}\n`)
}
