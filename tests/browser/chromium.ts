import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'
import { FLAGS } from '../support/browser.js'

/** A Chromium with a profile of its own, whose process can be killed and started again. */
export class KillableChromium {
  private readonly profile = mkdtempSync(join(tmpdir(), 'kithwire-profile-'))
  private process: ChildProcess | undefined

  constructor(private readonly program: string) {}

  async start(): Promise<BrowserContext> {
    const port = join(this.profile, 'DevToolsActivePort')
    rmSync(port, { force: true })
    const written = new Promise<void>((resolve) => {
      const watcher = watch(this.profile, () => {
        if (!existsSync(port) || !readFileSync(port, 'utf8').includes('\n')) return
        watcher.close()
        resolve()
      })
    })
    const flags = ['--headless=new', '--remote-debugging-port=0', `--user-data-dir=${this.profile}`, 'about:blank']
    // A group of its own, so that no child of it outlives it.
    this.process = spawn(this.program, [...FLAGS, ...flags], { stdio: 'ignore', detached: true })
    await written
    const [number] = readFileSync(port, 'utf8').split('\n')
    const browser = await chromium.connectOverCDP(`http://127.0.0.1:${number}`)
    return browser.contexts()[0]!
  }

  /** `kill -9`, and the profile is left as it is. */
  async kill(): Promise<void> {
    const { process: child } = this
    if (child?.pid === undefined) return
    this.process = undefined
    const gone = new Promise((resolve) => child.once('exit', resolve))
    process.kill(-child.pid, 'SIGKILL')
    await gone
  }

  async end(): Promise<void> {
    await this.kill()
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 })
  }
}
