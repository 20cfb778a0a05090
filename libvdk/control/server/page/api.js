// SPDX-License-Identifier: Apache-2.0
// What the page asks the control service. It only ever reads, but for the logout.

const ANY_TEAM = 'no-team-specified';  // the jobs query does not filter by the path's team
const PATIENCE_MS = 20000;

export class ApiError extends Error {
  constructor(status, parts) {
    super(parts.what);
    this.status = status;
    Object.assign(this, parts);
  }
}

function partsOf(status, body) {
  if (body && typeof body.what === 'string') {
    return {what: body.what, why: body.why ?? '', countermeasures: body.countermeasures ?? ''};
  }
  if (body && Array.isArray(body.errors) && body.errors.length) {
    return {what: 'The server refused this query', why: body.errors.map((error) => String(error.message)).join(' ')};
  }
  if (status === 401 || status === 403) {
    return {what: 'You are not logged in', why: 'The server asks for a login that this page does not have.',
      countermeasures: 'Use `vdk login` and the command line, or ask your administrator.'};
  }
  if (status === 404) {
    return {what: 'Not found', why: 'It may have been deleted, or belong to another team now.'};
  }
  return {what: `The server answered with status ${status}`, why: status === 503 ? 'It is busy or starting.' : ''};
}

export async function ask(path, {method = 'GET', signal} = {}) {
  const limit = new AbortController();
  const stop = () => limit.abort();
  const timer = setTimeout(stop, PATIENCE_MS);
  signal?.addEventListener('abort', stop);
  try {
    const response = await fetch(path, {method, headers: {Accept: 'application/json'}, signal: limit.signal, cache: 'no-store'});
    const body = await response.json().catch(() => null);
    if (!response.ok || body === null || (Array.isArray(body.errors) && body.errors.length)) {
      throw new ApiError(response.status, partsOf(response.status, body));
    }
    return body;
  } catch (error) {
    if (error instanceof ApiError || signal?.aborted) {
      throw error;
    }
    throw new ApiError(0, {what: 'The server does not answer', why: 'It may be restarting, or the network is away.',
      countermeasures: 'This page goes on trying; what you see below is the last known state.'});
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

const get = (path, signal) => ask(path, {signal});

const segment = encodeURIComponent;
const jobPath = (team, job) => `data-jobs/for-team/${segment(team)}/jobs/${segment(job)}`;

async function query(text, variables, signal) {
  const parameters = new URLSearchParams({query: text.replace(/\s+/g, ' ').trim(), variables: JSON.stringify(variables)});
  const body = await get(`data-jobs/for-team/${ANY_TEAM}/jobs?${parameters}`, signal);
  const {content, totalItems} = body.data ?? {};
  return {content: content ?? [], total: totalItems ?? 0};
}

const JOBS = `query Jobs($page: Int, $size: Int, $filter: [Predicate], $search: String) {
  jobs(pageNumber: $page, pageSize: $size, filter: $filter, search: $search) {
    content {
      jobName
      config { team description sourceUrl schedule { scheduleCron nextRunEpochSeconds } }
      deployments {
        enabled rolloutStatus statusMessage jobVersion jobPythonVersion lastDeployedDate
        lastExecutionStatus lastExecutionTime lastExecutionDuration successfulExecutions failedExecutions
        executions(pageNumber: 1, pageSize: 1, order: {property: "startTime", direction: DESC}) { id status startTime endTime }
      }
    }
    totalItems
  }
}`;

const COUNT = `query Count($filter: [Predicate]) {
  jobs(pageNumber: 1, pageSize: 1, filter: $filter) { content { jobName deployments { enabled lastExecutionStatus } } totalItems }
}`;

const EXECUTIONS = `query Executions($page: Int, $size: Int, $filter: DataJobExecutionFilter) {
  executions(pageNumber: $page, pageSize: $size, filter: $filter, order: {property: "startTime", direction: DESC}) {
    content { id jobName teamName status type startTime endTime startedBy message }
    totalItems
  }
}`;

const lower = (text) => (typeof text === 'string' ? text.toLowerCase() : null);

/** One shape for what the views need of a job. */
function plainJob(job) {
  const config = job.config ?? {};
  const deployment = job.deployments?.[0] ?? null;
  const newest = deployment?.executions?.[0];
  const next = config.schedule?.nextRunEpochSeconds;
  return {
    name: job.jobName,
    team: config.team ?? '',
    description: config.description ?? '',
    sourceUrl: config.sourceUrl ?? '',
    cron: config.schedule?.scheduleCron ?? '',
    next: typeof next === 'number' && next > 0 ? next : null,
    state: deployment ? (deployment.enabled ? 'enabled' : 'disabled') : 'not_deployed',
    deployment: deployment && {
      status: lower(deployment.rolloutStatus) ?? 'none',
      reason: deployment.statusMessage ?? '',
      version: deployment.jobVersion ?? '',
      python: deployment.jobPythonVersion ?? '',
      date: deployment.lastDeployedDate ?? null,
      successful: deployment.successfulExecutions ?? 0,
      failed: deployment.failedExecutions ?? 0,
    },
    run: newest ? {status: lower(newest.status), id: newest.id, start: newest.startTime, end: newest.endTime}
      : deployment?.lastExecutionStatus ? {status: lower(deployment.lastExecutionStatus), end: deployment.lastExecutionTime} : null,
  };
}

export async function findJobs({page, size, filter, search}, signal) {
  const {content, total} = await query(JOBS, {page, size, filter, search: search || null}, signal);
  return {content: content.map(plainJob), total};
}

export async function countJobs(filter, signal) {
  return (await query(COUNT, {filter}, signal)).total;
}

/** The job of this name whoever's it is, or null. Names are unique, so a link need not know the team. */
export async function findJob(name, signal) {
  const filter = [{property: 'jobName', pattern: name}];
  const {content} = await query(JOBS, {page: 1, size: 1, filter, search: null}, signal);
  return content.length && content[0].jobName === name ? plainJob(content[0]) : null;
}

export async function findExecutions({page, size, filter}, signal) {
  const {content, total} = await query(EXECUTIONS, {page, size, filter}, signal);
  return {content: content.map((execution) => ({...execution, status: lower(execution.status), type: lower(execution.type)})), total};
}

export const getJob = (team, job, signal) => get(jobPath(team, job), signal);
export const getDeployments = (team, job, signal) => get(`${jobPath(team, job)}/deployments`, signal);
export const getExecution = (team, job, id, signal) => get(`${jobPath(team, job)}/executions/${segment(id)}`, signal);

export async function getLogs(team, job, id, tail, signal) {
  const body = await get(`${jobPath(team, job)}/executions/${segment(id)}/logs?tail_lines=${tail}`, signal);
  return typeof body.logs === 'string' ? body.logs : '';
}
