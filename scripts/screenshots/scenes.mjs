/** Writes as somebody, and waits until it is on the page. */
async function say(pane, ...texts) {
  for (const text of texts) {
    await pane.getByRole('textbox').fill(text)
    await pane.getByRole('textbox').press('Enter')
    await pane.page().waitForTimeout(120)
  }
}

async function talk({ ann, ben }) {
  await say(ann, 'Hi Ben! Did you get the tickets for Saturday?')
  await say(ben, 'Yes, row F. All of it is on https://example.com/tickets/8841', 'Doors open at seven.')
  await say(ann, 'Perfect. Then let us meet at half past six in front of the hall.')
  await say(ben, 'There is a café right across the street; they have good cake.')
  await say(
    ann,
    'The programme begins with the quartet in F. Then there is a break of twenty minutes, and after that comes the second half, with the piano.',
  )
  await say(ben, 'I have never heard it live.')
  await say(ann, 'You will like it.')
}

const asTyping = async (pane) => {
  await talk(pane)
  await pane.ben.getByRole('textbox').pressSequentially('See you th')
}

const LONG = 'A long message says everything twice, and then once more for whoever was not listening. '.repeat(14)
const UNBROKEN = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'.repeat(4)

const extremes = async ({ ann, ben }) => {
  await say(ann, LONG)
  await say(ben, UNBROKEN, `https://example.com/${'path/'.repeat(40)}`)
  await say(ann, 'One line\nanother line\n\n    and an indented one', '<b>no markup</b> & "quotes"', 'k')
}

const rightToLeft = async ({ ann, ben }) => {
  await say(ann, 'שלום בן, מה שלומך?', 'נתראה בשבת בשעה 18:30 מול האולם.')
  await say(ben, 'مرحبا آن، أنا بخير. شكرا جزيلا!', 'التذاكر هنا: https://example.com/tickets/8841 (الصف F)')
  await say(ann, 'Mixed: עברית and English in one line, 3 < 5.')
  await say(ben, 'هذه رسالة أطول قليلا لكي نرى كيف تبدو عدة أسطر من النص العربي في فقاعة واحدة داخل المحادثة.')
}

const offline = async (pane) => {
  const { ann, ben } = pane
  await talk(pane)
  await ann.getByLabel('Offline').check()
  await say(
    ann,
    'I am in a tunnel now.',
    'What I write here waits in the outbox.',
    'It goes out by itself, in this order.',
  )
  await say(ben, 'Where are you?')
}

const failed = async (pane) => {
  const { ann, ben } = pane
  await talk(pane)
  await ann.getByLabel('Offline').check()
  await say(ann, 'Are you still there?')
  await ben.getByLabel('What to do with Ann').click()
  await ben.getByRole('button', { name: 'Block Ann' }).click()
  await ann.getByLabel('Offline').uncheck()
  await ann.getByText('Not sent.').waitFor()
}

const requests = async ({ ann, page }) => {
  const cyd = page.getByLabel("Cyd's window")
  await cyd.getByRole('button', { name: 'Add Ann' }).click()
  await cyd.getByRole('button', { name: 'Add Eli' }).click()
  await ann.getByRole('button', { name: 'Accept Cyd' }).waitFor({ timeout: 30_000 })
  await ann.getByRole('button', { name: 'Add Dan' }).click()
}

const frames = async (pane) => {
  await talk(pane)
  for (const each of [pane.ann, pane.ben]) await each.getByRole('button', { name: 'Frames' }).click()
  await say(pane.ann, 'These are the frames of one message.')
  await pane.ann.locator('.frames details').last().click()
}

const many = async ({ ann, page }) => {
  const log = ann.getByRole('log')
  await log.getByText('Message 10000').waitFor()
  for (let index = 0; index < 12; index++) {
    await log.evaluate((element) => element.scrollBy(0, -2_500))
    await page.waitForTimeout(150)
  }
}

/** On a phone one window is shown at a time. */
const onPhone =
  (scene, { open = true, who = 'ann' } = {}) =>
  async (pane) => {
    const other = who === 'ann' ? 'Ben' : 'Ann'
    const show = async (name, friend, back) => {
      await pane.page.locator('.tabs').getByText(name, { exact: true }).click()
      const window = pane.page.getByLabel(`${name}'s window`)
      if (back) await window.getByRole('button', { name: 'Back' }).click()
      else await window.locator('button.line', { hasText: friend }).click()
    }
    await pane.page.setViewportSize({ width: 1360, height: 820 })
    await scene?.(pane)
    await pane.page.setViewportSize({ width: 390, height: 844 })
    if (open) await show(who === 'ann' ? 'Ann' : 'Ben', other, false)
    await pane.page.evaluate(() => document.activeElement?.blur())
  }

const phone = { width: 390, height: 844 }

/** What is photographed, and in which light. `kept` ones are in the README. */
export const scenes = [
  { name: 'demo-light', kept: true, run: asTyping },
  { name: 'demo-dark', kept: true, run: offline, dark: true },
  { name: 'demo-phone', kept: true, run: onPhone(talk), ...phone },
  { name: 'empty', run: async () => {} },
  { name: 'empty-dark', run: async () => {}, dark: true },
  { name: 'stranger', run: async () => {}, as: 'dan' },
  { name: 'extremes', run: extremes },
  { name: 'extremes-dark', run: extremes, dark: true },
  { name: 'right-to-left', run: rightToLeft },
  { name: 'offline', run: offline },
  { name: 'failed', run: failed },
  { name: 'failed-dark', run: failed, dark: true },
  { name: 'requests', run: requests, as: 'ann,cyd' },
  { name: 'frames', run: frames },
  { name: 'frames-dark', run: frames, dark: true },
  { name: 'many', run: many, env: { DEMO_MESSAGES: '10000' } },
  { name: 'alone', run: async () => {}, as: 'ann' },
  { name: 'phone-list', run: onPhone(talk, { open: false }), ...phone },
  { name: 'phone-empty', run: onPhone(undefined), ...phone },
  { name: 'phone-dark', run: onPhone(talk, { who: 'ben' }), ...phone, dark: true },
  { name: 'phone-extremes', run: onPhone(extremes), ...phone },
  { name: 'phone-right-to-left', run: onPhone(rightToLeft), ...phone, dark: true },
  { name: 'phone-offline', run: onPhone(offline), ...phone },
  { name: 'phone-failed', run: onPhone(failed), ...phone, dark: true },
]
