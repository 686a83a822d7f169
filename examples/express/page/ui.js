/** The app's own front end: who am I, a list, a form. Nothing in it knows of Kithwire. */

/** @param {string} selector */
const find = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector))

/** Waits until somebody has signed in, and answers with their friend. */
export async function signedIn() {
  const me = await new Promise((resolve) => {
    for (const button of document.querySelectorAll('button[value]'))
      button.addEventListener('click', () => resolve(button.getAttribute('value')), { once: true })
  })
  await post(`/sign-in?as=${me}`)
  find('#people').textContent = `You are ${me}.`
  return me === 'ann' ? 'ben' : 'ann'
}

/**
 * Shows a message at its place, once: history and what just came may overlap.
 * @param {{ seq: number, from: string, content: string }} message
 */
export function show({ seq, from, content }) {
  const log = find('#log')
  const lines = /** @type {HTMLElement[]} */ ([...log.children])
  const next = lines.find((line) => Number(line.dataset.seq) >= seq)
  if (Number(next?.dataset.seq) === seq) return
  const line = document.createElement('li')
  line.dataset.seq = String(seq)
  for (const text of [from, ': ', content]) {
    const part = document.createElement(text === ': ' ? 'span' : 'bdi')
    part.textContent = text
    line.append(part)
  }
  log.insertBefore(line, next ?? null)
}

/** Each asks the other; with the second request they are friends. Until then there is nothing to show. */
export function notYetFriends() {
  find('output').textContent = 'waiting for the other one to sign in'
}

/**
 * @param {string} path
 * @param {unknown} [body]
 */
export async function post(path, body = {}) {
  const headers = { 'Content-Type': 'application/json' }
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return response.json()
}

/** @param {(content: string) => Promise<number>} send answers with the place of the message in the conversation */
export function onSubmit(send) {
  find('main').hidden = false
  const form = /** @type {HTMLFormElement} */ (find('form'))
  const [input, output] = [/** @type {HTMLInputElement} */ (find('input')), find('output')]
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const content = input.value
    input.value = ''
    output.textContent = 'sending …'
    try {
      output.textContent = `message ${await send(content)} is stored`
    } catch (error) {
      output.textContent = String(error)
    }
  })
}
