// SPDX-License-Identifier: Apache-2.0
// One job: what it is, what is deployed, and what its executions did.

import {findExecutions, findJob, getDeployments, getJob} from './api.js';
import {emptyPanel, errorPanel, h, loadingRows, outsideLink, pager, pill, show, stateKind, stateText, svg, syncRows, table, time} from './dom.js';
import {EXECUTION_COLUMNS, executionAddress, isOpen} from './executions.js';
import {absolute, count, describeCron, duration, toMillis} from './format.js';

const HISTORY = 40;

export function crumbs(...parts) {
  return h('nav', {class: 'crumbs', 'aria-label': 'Breadcrumb'}, h('ol', {}, parts.map(([text, href]) =>
    h('li', {}, href ? h('a', {href}, text) : h('span', {'aria-current': 'page'}, text)))));
}

/** Terms with what is known about them; unknown ones are left out. */
export function facts(rows) {
  return h('dl', {class: 'facts'}, rows.filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value))));
}

export const moment = (value) => {
  const millis = toMillis(value);
  return millis ? h('span', {}, absolute(millis), ' (', time(millis), ')') : null;
};

const list = (values) => (values?.length ? values.join(', ') : null);

function scheduleText(cron) {
  if (!cron) {
    return 'None: runs only when started by hand';
  }
  const words = describeCron(cron);
  return words ? h('span', {}, `${words} `, h('code', {class: 'cron'}, cron)) : h('span', {}, h('code', {}, cron), ' (UTC)');
}

function configuration({job, config}) {
  const contacts = config.contacts ?? {};
  return [h('h2', {}, 'Configuration'), facts([
    ['Team', job.team],
    ['Schedule', scheduleText(job.cron)],
    ['Next run', job.next && job.state === 'enabled' ? moment(job.next) : null],
    ['Database', config.db_default_type],
    ['Notifications', config.enable_execution_notifications === false ? 'Off' : `On; a run may be ${count(config.notification_delay_period_minutes ?? 240)} min late`],
    ['On success', list(contacts.notified_on_job_success)],
    ['On user error', list(contacts.notified_on_job_failure_user_error)],
    ['On platform error', list(contacts.notified_on_job_failure_platform_error)],
    ['On deploy', list(contacts.notified_on_job_deploy)],
    ['Sources', job.sourceUrl ? outsideLink(job.sourceUrl, job.sourceUrl) : null],
  ])];
}

const amount = (request, limit, unit) => (request || limit
  ? [request && `${request} ${unit} requested`, limit && `at most ${limit} ${unit}`].filter(Boolean).join(', ') : null);

function deploymentCard({job, deployment}) {
  if (!deployment) {
    return [h('h2', {}, 'Deployment'), h('p', {class: 'muted'}, 'Not deployed. Deploy it with ', h('code', {}, `vdk deploy -p ${job.name}`), '.')];
  }
  const resources = deployment.resources ?? {};
  const status = (deployment.status ?? job.deployment?.status ?? '').toLowerCase();
  const failed = status === 'user_error' || status === 'platform_error';
  return [h('h2', {}, 'Deployment'),
    failed && h('div', {class: `reason-box ${stateKind(`deployment_${status}`)}`}, h('strong', {}, `The last roll-out failed (${stateText(status).toLowerCase()})`),
      deployment.status_message && h('pre', {}, deployment.status_message)),
    facts([
      ['State', h('span', {}, pill(job.state), ' ', status && !failed && pill(`deployment_${status}`))],
      ['Version', deployment.job_version && h('code', {class: 'wrap'}, deployment.job_version)],
      ['Python', deployment.python_version],
      ['vdk', deployment.vdk_version],
      ['Deployed', moment(deployment.last_deployed_date)],
      ['Deployed by', deployment.last_deployed_by],
      ['CPU', amount(resources.cpu_request, resources.cpu_limit, 'cores')],
      ['Memory', amount(resources.memory_request, resources.memory_limit, 'MiB')],
    ])];
}

/** The last runs as bars: height is duration, colour is the result; the table below says the same in words. */
function history(runs) {
  const shown = runs.slice(0, HISTORY).reverse();
  const seconds = shown.map((run) => Math.max(1, ((toMillis(run.endTime) ?? Date.now()) - (toMillis(run.startTime) ?? Date.now())) / 1000));
  const longest = Math.max(1, ...seconds);
  const bars = shown.map((run, index) => {
    const height = 6 + 34 * Math.sqrt(seconds[index] / longest);
    const text = `${stateText(run.status)}, ${isOpen(run.status) ? 'still running' : duration(seconds[index])}`;
    return svg('a', {href: executionAddress(run.jobName, run.id), tabindex: -1}, svg('title', {}, text),
      svg('rect', {x: index * 12, y: 0, width: 12, height: 42, class: 'hit'}),
      svg('rect', {x: index * 12 + 1, y: 42 - height, width: 9, height, rx: 2, class: `bar ${stateKind(run.status)}`}));
  });
  return svg('svg', {viewBox: `0 0 ${HISTORY * 12} 44`, class: 'history', 'aria-hidden': 'true'}, ...bars);
}

export function jobView(app, params, [name]) {
  const size = 20;
  let page = 1;
  const heading = h('h1', {tabindex: -1}, name);
  const about = h('div', {class: 'about'});
  const left = h('section', {class: 'panel', 'data-part': 'configuration'});
  const right = h('section', {class: 'panel', 'data-part': 'deployment'});
  const runs = table(`Executions of ${name}, newest first.`, EXECUTION_COLUMNS);
  const pages = pager('executions', (step) => app.go(`#/jobs/${encodeURIComponent(name)}?page=${page + step}`, true));
  const strip = h('div', {class: 'strip'});
  const totals = h('p', {class: 'muted totals'});
  const none = h('div', {class: 'state'});
  const frame = h('div', {class: 'frame'}, runs.element);
  const content = h('div', {class: 'job-content'}, h('div', {class: 'columns'}, right, left),
    h('div', {class: 'section-head'}, h('h2', {id: 'executions'}, 'Executions'), totals, strip), none, frame, pages.element);
  content.hidden = true;
  const state = h('div', {class: 'state'}, loadingRows(5));
  const element = h('div', {class: 'view'}, crumbs(['Data jobs', '#/'], [name]), heading, about, state, content);
  const setParams = (next) => {
    page = Math.max(1, Math.floor(Number(next.get('page')) || 1));
  };
  setParams(params);

  return {
    title: name,
    nav: 'jobs',
    element,
    interval: 5000,
    setParams,
    async refresh(signal) {
      const job = await findJob(name, signal);
      if (!job) {
        content.hidden = true;
        show(about, null, () => []);
        show(state, 'missing', () => emptyPanel('There is no such job', 'Nobody has a data job named ', h('code', {}, name),
          '; it may have been deleted. ', h('a', {href: '#/'}, 'All jobs')));
        return;
      }
      const [stored, deployments, executions] = await Promise.all([
        getJob(job.team, name, signal), getDeployments(job.team, name, signal),
        findExecutions({page, size: page === 1 ? HISTORY : size, filter: {jobNameIn: [name]}}, signal),
      ]);
      content.hidden = false;
      show(state, 'found', () => []);
      show(about, [job.state, job.run?.status, job.description], () => [h('p', {class: 'pills'}, pill(job.state), job.run && h('span', {class: 'labelled'}, 'Last run ', pill(job.run.status))),
        job.description && h('p', {class: 'description'}, job.description)]);
      show(left, [{...job, run: null}, stored], () => configuration({job, config: stored.config ?? {}}));
      show(right, [job.name, job.state, deployments], () => deploymentCard({job, deployment: deployments[0] ?? null}));
      show(totals, job.deployment && [job.deployment.successful, job.deployment.failed],
        (sums) => (sums ? `${count(sums[0])} succeeded, ${count(sums[1])} failed so far` : []));
      const rows = executions.content.slice(0, size);
      if (page === 1) {
        show(strip, executions.content.map(({id, status, endTime}) => [id, status, endTime]), () => (executions.content.length > 1 ? history(executions.content) : []));
      }
      frame.hidden = rows.length === 0;
      show(none, rows.length === 0, (empty) => (empty ? emptyPanel('No executions yet',
        'It runs when its schedule is due, or with ', h('code', {}, `vdk execute --start -n ${name}`), '.') : []));
      syncRows(runs.body, rows, (run) => run.id, EXECUTION_COLUMNS);
      pages.update(page, size, rows.length, executions.total, count);
      pages.element.hidden = executions.total <= size;
    },
    fail(error, retry) {
      return content.hidden && (show(state, [error.status, error.what], () => errorPanel(error, retry)), true);
    },
  };
}
