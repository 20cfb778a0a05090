// SPDX-License-Identifier: Apache-2.0
// Who looks at the page, and the way in and out.

import {ask} from './api.js';
import {h} from './dom.js';

/** {needed, offered, user, ended}; nothing when the server does not say. */
export const whoLooks = (signal) => ask('login/session', {signal}).catch(() => null);

/** Leads back to where one is now. */
const wayIn = () => `login?${new URLSearchParams({to: location.hash || '#/'})}`;

export function loginView({ended, offered}) {
  const link = h('a', {class: 'action', href: wayIn()}, 'Log in');
  link.addEventListener('click', () => link.setAttribute('href', wayIn()));
  return h('div', {class: 'entrance'},
    h('h1', {tabindex: '-1'}, ended ? 'Your login is over' : 'Log in to see the data jobs'),
    h('section', {class: 'panel'},
      h('p', {}, offered
        ? (ended ? 'Log in again to go on where you were.' : 'This service shows the jobs of your team to people who are logged in.')
        : 'This page has no login of its own. Use the command line: vdk login, then vdk list.'),
      offered && h('p', {}, link)));
}

/** The name and the button to leave; `person` without a user hides both. */
export function showPerson(person) {
  const place = document.getElementById('person');
  place.hidden = !person?.user;
  if (place.hidden) {
    place.replaceChildren();
    return;
  }
  const leave = h('button', {type: 'button', class: 'quiet', title: `Log out ${person.user}`, click: () => logOut(leave)}, 'Log out');
  place.replaceChildren(h('span', {class: 'person-name', title: person.user}, person.user), leave);
}

async function logOut(button) {
  button.disabled = true;
  try {
    const {location: next} = await ask('logout', {method: 'POST'});
    document.getElementById('main').replaceChildren();
    location.replace(next ?? './');
  } catch {
    button.disabled = false;
    button.textContent = 'Log out failed, try again';
  }
}
