/** In place of the real worker: answers `open`, and ends in the middle of anything else. */
import { parentPort } from 'node:worker_threads'

parentPort.on('message', ([name]) => {
  if (name === 'open') parentPort.postMessage(['opened'])
  else if (name === 'epoch') throw new Error('out of memory')
  else process.exit(3)
})
