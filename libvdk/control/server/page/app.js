// SPDX-License-Identifier: Apache-2.0
// Addresses, the refresh loop, the keyboard.

import {h, refreshTimes, show} from './dom.js';
import {executionView} from './execution.js';
import {executionsView} from './executions.js';
import {jobView} from './job.js';
import {jobsView} from './jobs.js';
import {loginView, showPerson, whoLooks} from './login.js';

const ROUTES = [
  [/^\/$/, jobsView],
  [/^\/executions$/, executionsView],
  [/^\/jobs\/([^/]+)$/, jobView],
  [/^\/jobs\/([^/]+)\/executions\/([^/]+)$/, executionView],
];
const SLOWEST_RETRY_MS = 30000;

const main = document.getElementById('main');
const notice = document.getElementById('notice');
const liveButton = document.getElementById('live');
const freshness = document.getElementById('freshness');

let current = null;      // {key, view}
let kept = null;         // the list that was left last: going back finds it as it was
let live = true;
let timer = null;
let loading = null;      // AbortController of the refresh that runs
let failures = 0;
let unreachable = false;
let lastGood = 0;
let locked = false;      // nobody is logged in: nothing is shown and nothing is asked

function parse(hash) {
  const [path, query = ''] = (hash.replace(/^#/, '') || '/').split('?');
  for (const [pattern, make] of ROUTES) {
    const match = pattern.exec(path);
    if (match) {
      try {
        return {path, make, params: new URLSearchParams(query), names: match.slice(1).map(decodeURIComponent)};
      } catch {
        break;  // a broken escape in the address
      }
    }
  }
  return {path: '/', make: jobsView, params: new URLSearchParams(), names: []};
}

const app = {
  /** Change the address; `replace` keeps the history short while somebody types. */
  go(hash, replace) {
    if (hash === (location.hash || '#/')) {
      return;
    }
    history[replace ? 'replaceState' : 'pushState'](null, '', hash);
    route();
  },
  refreshNow: () => refresh(),
  toTop: () => window.scrollTo({top: 0}),
  announce(text) {
    const place = document.getElementById('announce');
    if (place.textContent !== text) {
      place.textContent = text;
    }
  },
};

function showNotice(error) {
  show(notice, error && [error.status, error.what, error.why], () => (error ? h('div', {class: 'banner'}, h('strong', {}, error.what), ' ',
    error.why ?? '', ' ', error.countermeasures ?? '', h('button', {type: 'button', class: 'quiet', click: () => refresh()}, 'Try again')) : []));
}

function showFreshness() {
  const age = Math.round((Date.now() - lastGood) / 1000);
  const text = !live ? 'Paused' : failures ? (unreachable ? 'Offline' : 'Not refreshed') : age < 15 ? 'Up to date' : `Updated ${age} s ago`;
  if (freshness.textContent !== text) {
    freshness.textContent = text;
  }
  freshness.dataset.state = !live ? 'paused' : failures ? 'offline' : 'live';
}

function schedule() {
  clearTimeout(timer);
  if (!live || document.hidden || locked) {
    return;
  }
  const wait = failures ? Math.min(current.view.interval * 2 ** (failures - 1), SLOWEST_RETRY_MS) : current.view.interval;
  timer = setTimeout(refresh, wait);
}

/** What was on the screen was for somebody who was logged in. */
function lock(person) {
  const wasOpen = current !== null;
  locked = true;
  current = kept = null;
  clearTimeout(timer);
  showNotice(null);
  showPerson(null);
  document.querySelector('.live').hidden = true;
  document.title = 'Log in · vdk';
  const view = loginView(person);
  main.removeAttribute('aria-busy');
  main.replaceChildren(view);
  if (wasOpen) {
    view.querySelector('h1').focus({preventScroll: true});
    app.announce(view.querySelector('h1').textContent);
  }
}

async function enterIfLoggedIn() {
  const person = await whoLooks();
  if (person?.user) {
    location.reload();
  }
}

async function refresh() {
  if (locked) {
    return;
  }
  clearTimeout(timer);
  loading?.abort();
  const mine = new AbortController();
  loading = mine;
  const {view} = current;
  main.setAttribute('aria-busy', 'true');
  try {
    await view.refresh(mine.signal);
    if (mine !== loading) {
      return;
    }
    failures = 0;
    lastGood = Date.now();
    showNotice(null);
  } catch (error) {
    if (mine !== loading) {
      return;  // somebody asked for something newer
    }
    if (error.status === 401) {
      const person = await whoLooks();
      if (person?.offered && !person.user) {
        lock({...person, ended: true});
        return;
      }
    }
    failures++;
    unreachable = error.status === 0;
    showNotice(view.fail(error, () => refresh()) ? null : error);
    if (!('status' in error)) {
      console.error(error);
    }
  }
  main.removeAttribute('aria-busy');
  showFreshness();
  refreshTimes();
  schedule();
}

function keep() {
  if (current?.view.nav === 'jobs' && current.key === '/') {
    kept = {...current, hash: current.hash, scroll: window.scrollY, focus: document.activeElement};
  }
}

function enter(next, hash) {
  const first = current === null;
  keep();
  const back = kept && kept.hash === hash && kept.key === next.path;
  current = back ? {...kept} : {key: next.path, view: next.make(app, next.params, next.names)};
  current.hash = hash;
  failures = 0;
  main.replaceChildren(current.view.element);
  if (back) {
    window.scrollTo({top: kept.scroll});
    kept.focus?.focus?.({preventScroll: true});
  } else if (!first) {
    window.scrollTo({top: 0});
    current.view.element.querySelector('h1')?.focus({preventScroll: true});
  }
}

function route() {
  if (locked) {
    return;
  }
  const hash = location.hash || '#/';
  if (hash === '#main' || current?.hash === hash) {
    return;
  }
  const next = parse(hash);
  if (current && current.key === next.path) {
    current.hash = hash;
    current.view.setParams(next.params);
  } else {
    enter(next, hash);
  }
  document.title = current.key === '/' ? 'Data jobs · vdk' : `${current.view.title} · vdk`;
  for (const link of document.querySelectorAll('[data-nav]')) {
    const here = link.dataset.nav === current.view.nav;
    here ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current');
  }
  refresh();
}

function walkRows(event) {
  const links = [...main.querySelectorAll('tbody .row-link')];
  const at = links.indexOf(document.activeElement);
  const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
  if (at < 0 || !links[at + step]) {
    return;
  }
  event.preventDefault();
  links[at + step].focus();
}

document.addEventListener('keydown', (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) {
    return;
  }
  const field = event.target.closest?.('input, select, textarea');
  const search = current?.view.search?.();
  if (event.key === '/' && !field && search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === 'Escape' && (!field || field === search)) {
    current?.view.escape?.();
  } else if (event.key === 'ArrowDown' && field === search && search) {
    event.preventDefault();
    main.querySelector('tbody .row-link')?.focus();
  } else if (!field) {
    walkRows(event);
  }
});

// `#main` in the address would be taken for a route.
document.getElementById('skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});

liveButton.addEventListener('click', () => {
  live = !live;
  liveButton.setAttribute('aria-pressed', String(live));
  live ? refresh() : clearTimeout(timer);
  showFreshness();
});

document.addEventListener('visibilitychange', () => {
  if (locked) {
    document.hidden || enterIfLoggedIn();  // perhaps in another tab
  } else {
    document.hidden ? clearTimeout(timer) : live && refresh();
  }
});
window.addEventListener('online', () => refresh());
window.addEventListener('hashchange', route);
window.addEventListener('popstate', route);
setInterval(() => {
  refreshTimes();
  showFreshness();
}, 1000);

const person = await whoLooks();
if (person?.needed && person.offered && !person.user) {
  lock(person);
} else {
  showPerson(person);
  route();
}
