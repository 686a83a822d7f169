import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import type { TestContext } from 'vitest'

/**
 * What a test needs and this machine may lack. In CI a lack is a failure, so that no green run hides a missing
 * install step; elsewhere the test is skipped with a note that says what to install.
 *
 * @param found what was found; a falsy value stands for nothing
 * @param install what to install, as the note shows it
 */
export function need<T>(
  context: Pick<TestContext, 'skip'>,
  found: T | null | undefined | false | '',
  install: string,
): T {
  if (found) return found
  if (process.env.CI === 'true') throw new Error(`This test needs ${install}`)
  context.skip(`needs ${install}`)
  throw new Error('unreachable: skip throws')
}

/** The path of the first of these commands that is there and succeeds with these arguments, or undefined. */
export function findCommand(
  candidates: readonly string[],
  args: readonly string[] = ['--version'],
): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const paths = candidates.flatMap((name) => (isAbsolute(name) ? name : folders.map((folder) => join(folder, name))))
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      execFileSync(path, [...args], { stdio: 'ignore', timeout: 30_000 })
      return true
    } catch {
      return false
    }
  })
}

/** A Python with the `websockets` package: a client that nobody here wrote. */
export const findPython = () => findCommand(['/usr/bin/python3', 'python3'], ['-c', 'import websockets'])
export const PYTHON = 'python3 with the package websockets (Debian: apt-get install python3-websockets)'

/** A Chromium to be driven headless. */
export const findChromium = () => findCommand(['chromium', 'chromium-browser', 'google-chrome'])
export const CHROMIUM = 'Chromium (Debian: apt-get install chromium)'
