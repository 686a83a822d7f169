import { openPane } from './pane'

/** `/?as=ann` shows one person, as in two windows side by side; without it both are on the page. */
const as = new URLSearchParams(location.search).get('as')
const people = as === null ? ['ann', 'ben'] : [as]

for (const user of people) void openPane(user, document.querySelector('#panes') as HTMLElement)
