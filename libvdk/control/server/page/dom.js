// SPDX-License-Identifier: Apache-2.0
// Everything that comes from the server becomes text nodes and attributes, never markup.

import {absolute, relative, since} from './format.js';

const SVG = 'http://www.w3.org/2000/svg';

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) {
      continue;
    }
    if (typeof value === 'function') {
      element.addEventListener(name, value);
    } else {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** h('a', {href: '#/', click: handler}, 'text', node ...) */
export function h(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

const shownBy = new WeakMap();

/** Replace the children of `node` only when `data` differs from what they were made of. */
export function show(node, data, make) {
  const key = JSON.stringify(data) ?? '';
  if (shownBy.get(node) === key) {
    return false;
  }
  shownBy.set(node, key);
  node.replaceChildren(...[make(data)].flat().filter((child) => child !== null && child !== undefined && child !== false));
  return true;
}

const WAYS = {
  '': relative,
  for: (millis, now) => `for ${since(millis, now)}`,
  next: (millis, now) => (millis > now ? `next ${relative(millis, now)}` : 'due now'),
};

const timeText = (millis, way, now) => WAYS[way](millis, now);

/** A time in words, "3 min ago", or with way = 'for' "for 3 min"; `refreshTimes` keeps it true. */
export function time(millis, way = '') {
  const iso = new Date(millis).toISOString();
  return h('time', {datetime: iso, title: absolute(millis), 'data-millis': millis, 'data-way': way}, timeText(millis, way, Date.now()));
}

export function refreshTimes() {
  const now = Date.now();
  for (const element of document.querySelectorAll('time[data-millis]')) {
    const text = timeText(Number(element.dataset.millis), element.dataset.way, now);
    if (element.textContent !== text) {
      element.textContent = text;
    }
  }
}

// A shape and a word for each state: colour is never the only sign.
const SHAPES = {
  ok: ['path', {d: 'M3.5 8.5 6.5 11.5 12.5 4.8'}],
  bad: ['path', {d: 'M4.5 4.5 11.5 11.5M11.5 4.5 4.5 11.5'}],
  warn: ['path', {d: 'M8 3.2v5.6M8 12v.6'}],
  run: ['path', {d: 'M5.5 3.8 12 8l-6.5 4.2z'}],
  idle: ['path', {d: 'M4 8h8'}],
  wait: ['circle', {cx: 8, cy: 8, r: 4}],
};

const STATES = {
  succeeded: ['ok', 'Succeeded'],
  running: ['run', 'Running'],
  submitted: ['wait', 'Submitted'],
  cancelled: ['idle', 'Cancelled'],
  skipped: ['idle', 'Skipped'],
  user_error: ['bad', 'User error'],
  platform_error: ['warn', 'Platform error'],
  enabled: ['ok', 'Enabled'],
  disabled: ['idle', 'Disabled'],
  not_deployed: ['wait', 'Not deployed'],
  deployment_user_error: ['bad', 'Failed: user error'],
  deployment_platform_error: ['warn', 'Failed: platform error'],
  deployment_success: ['ok', 'Rolled out'],
  deployment_none: ['wait', 'Pending'],
};

export function stateKind(state) {
  return (STATES[state] ?? ['idle'])[0];
}

export function stateText(state) {
  return (STATES[state] ?? ['idle', String(state)])[1];
}

export function pill(state) {
  const kind = stateKind(state);
  const [tag, shape] = SHAPES[kind];
  const icon = svg('svg', {viewBox: '0 0 16 16', width: 14, height: 14, 'aria-hidden': 'true', class: 'icon'}, svg(tag, shape));
  return h('span', {class: `pill ${kind}`, 'data-state': state}, icon, stateText(state));
}

/** An address from data may only be a web page: javascript: and the like become plain text. */
export function outsideLink(address, text) {
  if (!/^https?:\/\//i.test(address)) {
    return h('span', {class: 'wrap'}, address);
  }
  return h('a', {href: address, rel: 'noopener noreferrer', class: 'wrap'}, text);
}

/** Make the rows of `body` be `items`, reusing what is there, so that focus, selection and scroll stay. */
export function syncRows(body, items, keyOf, columns, rowClass) {
  const before = new Map([...body.children].map((row) => [row.dataset.key, row]));
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  let place = body.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let row = before.get(key);
    before.delete(key);
    if (!row) {
      row = h('tr', {role: 'row', 'data-key': key}, columns.map((column, index) =>
        h(index === 0 ? 'th' : 'td', {
          role: index === 0 ? 'rowheader' : 'cell', scope: index === 0 ? 'row' : null,
          'data-label': column.label, class: column.class,
        })));
    }
    columns.forEach((column, index) => show(row.children[index], column.data(item), column.cell));
    row.className = rowClass ? rowClass(item) : '';
    if (row === place) {
      place = place.nextElementSibling;
    } else {
      body.insertBefore(row, place);
    }
  }
  for (const row of before.values()) {
    row.remove();
  }
  if (focused && focused !== document.activeElement && focused.isConnected) {
    focused.focus({preventScroll: true});
  }
}

/** A table with a caption for screen readers. `sort` = {now, choose} makes columns with `order` sortable. */
export function table(caption, columns, sort) {
  const heads = columns.map((column) => {
    if (!sort || !column.order) {
      return h('th', {role: 'columnheader', scope: 'col', class: column.class}, column.label);
    }
    const arrow = svg('svg', {viewBox: '0 0 10 10', width: 10, height: 10, 'aria-hidden': 'true', class: 'arrow'},
      svg('path', {d: 'M2 3.5 5 6.5 8 3.5'}));
    return h('th', {role: 'columnheader', scope: 'col', class: column.class, 'data-order': column.order},
      h('button', {type: 'button', class: 'sort', click: () => sort(column.order)}, column.label, arrow));
  });
  const body = h('tbody', {role: 'rowgroup'});
  const element = h('table', {role: 'table'}, h('caption', {class: 'unseen'}, caption),
    h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'}, heads)), body);
  return {element, body};
}

/** Tell by aria-sort which column orders the rows: `order` is "name" or "-name". */
export function markSort(tableElement, order) {
  for (const head of tableElement.querySelectorAll('th[data-order]')) {
    const name = head.dataset.order;
    if (order === name || order === `-${name}`) {
      head.setAttribute('aria-sort', order === name ? 'ascending' : 'descending');
    } else {
      head.removeAttribute('aria-sort');
    }
  }
}

/** "1–50 of 10,000" with buttons; `go(page)` is called with the page wanted. */
export function pager(noun, go) {
  const text = h('p', {class: 'range'});
  const button = (label, title, step) => h('button', {type: 'button', class: 'quiet', 'aria-label': title, click: () => go(step)}, label);
  const previous = button('← Previous', `Previous page of ${noun}`, -1);
  const next = button('Next →', `Next page of ${noun}`, 1);
  const element = h('nav', {class: 'pager', 'aria-label': `Pages of ${noun}`}, text, h('div', {class: 'buttons'}, previous, next));
  return {
    element,
    update(page, size, shown, total, count) {
      const first = (page - 1) * size + 1;
      text.textContent = total === 0 ? '' : `${count(first)}–${count(first + shown - 1)} of ${count(total)} ${noun}`;
      previous.disabled = page <= 1;
      next.disabled = page * size >= total;
      element.hidden = total === 0;
    },
  };
}

/** An error with all that the server says about it. */
export function errorPanel(error, retry) {
  return h('section', {class: 'panel error', 'data-error': error.status ?? 0},
    h('h2', {}, error.what ?? 'Something went wrong on this page'),
    h('p', {}, error.why ?? String(error.message ?? error)),
    error.countermeasures && h('p', {class: 'muted'}, error.countermeasures),
    retry && h('button', {type: 'button', click: retry}, 'Try again'));
}

export function emptyPanel(title, ...text) {
  return h('section', {class: 'panel empty'}, h('h2', {}, title), h('p', {class: 'muted'}, ...text));
}

export function loadingRows(amount) {
  return h('div', {class: 'loading', 'aria-hidden': 'true'}, Array.from({length: amount}, () => h('div', {class: 'bone'})));
}
