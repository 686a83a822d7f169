#!/usr/bin/env node
import { createRequire } from 'node:module'
import { stripVTControlCharacters } from 'node:util'
import { defineCommand, renderUsage, runCommand } from 'citty'
import { exitCodeOf, explain } from './command.js'
import { doctor } from './doctor/command.js'
import { migrate } from './migrate/command.js'

const { version } = createRequire(__filename)('@kithwire/server/package.json') as { version: string }
const commands = { migrate, doctor }
const kithwire = defineCommand({
  meta: { name: 'kithwire', version, description: 'Looks after the data and the set-up of a Kithwire server' },
  subCommands: commands,
})

async function main(args: string[]): Promise<void> {
  const command = commands[args[0] as keyof typeof commands]
  if (args.includes('--version') || args[0] === '-v') console.log(version)
  else if (args.includes('--help') || args.includes('-h') || args.length === 0)
    help(await (command ? renderUsage(command as typeof kithwire, kithwire) : renderUsage(kithwire)))
  else await runCommand(kithwire, { rawArgs: args })
}

const help = (text: string) => console.log(process.stdout.isTTY ? text : stripVTControlCharacters(text))

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(explain(error))
  process.exitCode = exitCodeOf(error)
})
