// SPDX-License-Identifier: Apache-2.0
#include "control/embedded/queries.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "control/embedded/store_queries.hpp"
#include "vdk/core/cron.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

constexpr std::size_t k_longest_pattern = 1000;

enum class Property {
  name,
  team,
  description,
  source_url,
  schedule_cron,
  next_run,
  any_contact,
  enabled,
  python_version,
  last_status,
  last_time,
  last_duration
};

constexpr std::pair<std::string_view, Property> k_properties[] = {
    {"jobName", Property::name},
    {"config.team", Property::team},
    {"config.description", Property::description},
    {"config.sourceUrl", Property::source_url},
    {"config.schedule.scheduleCron", Property::schedule_cron},
    {"config.schedule.nextRunEpochSeconds", Property::next_run},
    {"config.contacts.present", Property::any_contact},
    {"deployments.enabled", Property::enabled},
    {"deployments.jobPythonVersion", Property::python_version},
    {"deployments.lastExecutionStatus", Property::last_status},
    {"deployments.lastExecutionTime", Property::last_time},
    {"deployments.lastExecutionDuration", Property::last_duration}};

Error refused(const std::string& why, const std::string& countermeasures) {
  return Error(ErrorKind::usage, {"cannot query the data jobs", why, "Nothing was read.", countermeasures});
}

std::optional<Property> property_of(std::string_view name) {
  for (const auto& [known, property] : k_properties) {
    if (text::lower(known) == text::lower(name)) {
      return property;
    }
  }
  return std::nullopt;
}

Property require_property(const JobPredicate& predicate) {
  const auto property = property_of(predicate.property);
  if (!property || (!predicate.pattern && !predicate.sort)) {
    std::vector<std::string> names;
    for (const auto& [known, ignored] : k_properties) {
      names.emplace_back(known);
    }
    throw refused("Provided filter for " + predicate.property + " is either not valid or currently not supported",
                  "Give a pattern or a sort for one of " + text::quoted_list(names) + ".");
  }
  if (predicate.pattern && predicate.pattern->size() > k_longest_pattern) {
    throw refused(
        "the pattern for " + predicate.property + " is longer than " + std::to_string(k_longest_pattern) + " bytes",
        "Give a shorter one.");
  }
  return *property;
}

/// What only C++ can compute of a job.
struct Candidate {
  JobOverview overview;
  std::optional<long long> next_run;
};

using Keep = std::function<bool(const Candidate&)>;
/// Negative, zero, positive.
using Compare = std::function<int(const Candidate&, const Candidate&)>;

/// A query taken apart: what the database does, and what is left.
struct Plan {
  JobSelection selection;
  std::vector<Keep> keep;
  Compare compare;
  bool descending = false;
  bool next_run = false;
  bool last_execution = false;
  bool nothing = false;  ///< a condition that no job fulfils

  [[nodiscard]] bool by_database() const { return keep.empty() && !compare; }
};

std::optional<std::pair<long long, long long>> range_of(const JobPredicate& predicate) {
  const std::size_t dash = predicate.pattern->find('-', 1);
  const auto from = dash == std::string::npos ? std::nullopt : text::parse_int(predicate.pattern->substr(0, dash));
  const auto to = dash == std::string::npos ? std::nullopt : text::parse_int(predicate.pattern->substr(dash + 1));
  if (!from || !to) {
    throw refused(predicate.property + " does not contain a valid date range",
                  "Give two times in seconds since 1970, such as 1619460302-1619546702.");
  }
  if (*from > *to) {
    throw refused("First date of " + predicate.property + " is after the second",
                  "The beginning date must not be after the ending date.");
  }
  return std::pair(*from, *to);
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '!') {
      result += '!';
    }
    result += c;
  }
  return result;
}

void append_any(std::string& pattern) {
  if (!pattern.ends_with('%') || pattern.ends_with("!%")) {
    pattern += '%';
  }
}

JobCondition name_condition(const std::string& pattern) {
  if (pattern.find('*') == std::string::npos) {
    return {JobColumn::name, JobCondition::Match::equals, pattern};
  }
  std::string wildcard;
  for (const char c : pattern) {
    if (c == '*') {
      append_any(wildcard);
    } else {
      wildcard += c == '?' ? "_" : escaped({&c, 1});
    }
  }
  return {JobColumn::name, JobCondition::Match::wildcard, wildcard};
}

/// `%` and its regular expression `.*` are any text; everything else means itself.
JobCondition team_condition(const std::string& pattern) {
  const std::string unified = text::replace_all(std::string(text::trim(pattern)), ".*", "%");
  if (unified.find('%') == std::string::npos) {
    return {JobColumn::team, JobCondition::Match::equals, unified};
  }
  std::string wildcard;
  for (const char c : unified) {
    if (c == '%') {
      append_any(wildcard);
    } else {
      wildcard += escaped({&c, 1});
    }
  }
  return {JobColumn::team, JobCondition::Match::wildcard, wildcard};
}

bool is_state(const std::string& word) { return word == "enabled" || word == "disabled" || word == "not_deployed"; }

ExecutionStatus require_status(const std::string& pattern) {
  const auto status = parse_execution_status(text::lower(pattern));
  if (!status) {
    throw refused("The Execution Status '" + pattern + "' is not valid",
                  "Give submitted, running, succeeded, cancelled, skipped, user_error or platform_error.");
  }
  return *status;
}

const ExecutionStatistics& statistics_of(const Candidate& candidate) {
  static const ExecutionStatistics none;
  return candidate.overview.deployment ? candidate.overview.statistics : none;
}

void add_pattern(Plan& plan, Property property, const JobPredicate& predicate) {
  using Match = JobCondition::Match;
  const std::string& pattern = *predicate.pattern;
  auto& conditions = plan.selection.all;
  switch (property) {
    case Property::name:
      conditions.push_back(name_condition(pattern));
      break;
    case Property::team:
      conditions.push_back(team_condition(pattern));
      break;
    case Property::description:
      conditions.push_back({JobColumn::description, Match::contains, pattern});
      break;
    case Property::enabled:
      plan.nothing = plan.nothing || !is_state(text::lower(pattern));
      conditions.push_back({JobColumn::state, Match::equals, pattern});
      break;
    case Property::python_version:
      conditions.push_back({JobColumn::python_version, Match::contains, pattern});
      break;
    case Property::last_status:
      plan.last_execution = true;
      plan.keep.emplace_back([status = require_status(pattern)](const Candidate& job) {
        return statistics_of(job).last_status == status;
      });
      break;
    case Property::last_time:
      plan.last_execution = true;
      plan.keep.emplace_back([range = range_of(predicate)](const Candidate& job) {
        const auto time = statistics_of(job).last_time;
        return time && to_unix_micros(*time) >= range->first * 1'000'000 &&
               to_unix_micros(*time) <= range->second * 1'000'000;
      });
      break;
    case Property::next_run:
      plan.next_run = true;
      plan.keep.emplace_back([range = range_of(predicate)](const Candidate& job) {
        return job.next_run && *job.next_run >= range->first && *job.next_run <= range->second;
      });
      break;
    case Property::last_duration:
      plan.nothing = true;
      break;
    case Property::source_url:
    case Property::schedule_cron:
    case Property::any_contact:
      break;
  }
}

/// Absent values come first.
template <typename Value>
int compare(const std::optional<Value>& a, const std::optional<Value>& b) {
  return a == b ? 0 : a < b ? -1 : 1;
}

void set_order(Plan& plan, Property property, SortDirection direction) {
  const auto by = [&](JobColumn column) {
    plan.compare = nullptr;
    plan.selection.order = column;
    plan.selection.descending = direction == SortDirection::descending;
  };
  const auto computed = [&](Compare comparison) {
    by(JobColumn::name);
    plan.selection.descending = false;
    plan.compare = std::move(comparison);
    plan.descending = direction == SortDirection::descending;
  };
  switch (property) {
    case Property::name:
      return by(JobColumn::name);
    case Property::team:
      return by(JobColumn::team);
    case Property::description:
      return by(JobColumn::description);
    case Property::enabled:
      return by(JobColumn::state);
    case Property::python_version:
      return by(JobColumn::python_version);
    case Property::any_contact:
      return by(JobColumn::any_contact);
    case Property::next_run:
      plan.next_run = true;
      return computed([](const Candidate& a, const Candidate& b) { return compare(a.next_run, b.next_run); });
    case Property::last_status:
      plan.last_execution = true;
      return computed([](const Candidate& a, const Candidate& b) {
        return compare(statistics_of(a).last_status, statistics_of(b).last_status);
      });
    case Property::last_time:
      plan.last_execution = true;
      return computed([](const Candidate& a, const Candidate& b) {
        return compare(statistics_of(a).last_time, statistics_of(b).last_time);
      });
    case Property::last_duration:
      plan.last_execution = true;
      return computed([](const Candidate& a, const Candidate& b) {
        return compare(statistics_of(a).last_duration, statistics_of(b).last_duration);
      });
    case Property::source_url:
    case Property::schedule_cron:
      break;
  }
}

bool contains(const std::string& text, const std::string& lower_part) {
  return text::lower(text).find(lower_part) != std::string::npos;
}

/// What the search finds in one of the fields; `word` is in lower case.
bool finds(Property property, const std::string& word, const Candidate& job, const Sources& sources) {
  const auto& deployment = job.overview.deployment;
  switch (property) {
    case Property::name:
      return contains(job.overview.job.job_name, word);
    case Property::team:
      return contains(job.overview.job.team, word);
    case Property::description:
      return contains(job.overview.job.description, word);
    case Property::source_url:
      return contains(sources.url(job.overview.job.job_name), word);
    case Property::schedule_cron:
      return contains(job.overview.job.schedule_cron, word);
    case Property::next_run:
      return contains(std::to_string(job.next_run.value_or(-1)), word);
    case Property::enabled:
      return word == (!deployment ? "not_deployed" : deployment->enabled ? "enabled" : "disabled");
    case Property::python_version:
      return deployment && contains(deployment->python_version, word);
    case Property::last_status:
      return statistics_of(job).last_status && word == to_string(*statistics_of(job).last_status);
    case Property::last_time:
    case Property::last_duration:
    case Property::any_contact:
      break;
  }
  return false;
}

std::optional<JobColumn> column_of(Property property) {
  switch (property) {
    case Property::name:
      return JobColumn::name;
    case Property::team:
      return JobColumn::team;
    case Property::description:
      return JobColumn::description;
    default:
      return std::nullopt;
  }
}

void add_search(Plan& plan, const JobQuery& query, const Sources& sources) {
  if (text::trim(query.search).empty()) {
    return;
  }
  if (query.search.size() > k_longest_pattern) {
    throw refused("the search is longer than " + std::to_string(k_longest_pattern) + " bytes", "Give a shorter one.");
  }
  std::vector<Property> fields;
  bool computed = false;
  for (const std::string& field : query.search_fields) {
    if (const auto property = property_of(field)) {
      fields.push_back(*property);
      computed = computed || !column_of(*property);
      plan.next_run = plan.next_run || *property == Property::next_run;
      plan.last_execution = plan.last_execution || *property == Property::last_status;
    }
  }
  if (computed) {
    plan.keep.emplace_back([fields, word = text::lower(query.search), &sources](const Candidate& job) {
      return std::any_of(fields.begin(), fields.end(),
                         [&](Property property) { return finds(property, word, job, sources); });
    });
    return;
  }
  for (const Property property : fields) {
    plan.selection.any.push_back({*column_of(property), JobCondition::Match::contains, query.search});
  }
}

Plan make_plan(const JobQuery& query, const Sources& sources) {
  if (query.size < 0) {
    throw refused("Page size cannot be less than 1", "Give a page size of 1 or more.");
  }
  if (query.page < 1) {
    throw refused("Page cannot be less than 1", "Pages are counted from 1.");
  }
  Plan plan;
  plan.selection.deployments = query.deployments;
  plan.selection.teams = query.only_teams;
  for (const JobPredicate& predicate : query.filter) {
    const Property property = require_property(predicate);
    if (predicate.pattern && !predicate.pattern->empty()) {
      add_pattern(plan, property, predicate);
    }
    if (predicate.sort) {
      set_order(plan, property, *predicate.sort);
    }
  }
  add_search(plan, query, sources);
  return plan;
}

std::optional<long long> next_run(const std::string& schedule, TimePoint now) {
  if (schedule.empty()) {
    return std::nullopt;
  }
  try {
    const auto next = Cron::parse(schedule).next(now);
    return next ? std::optional(to_unix_micros(*next) / 1'000'000) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // an invalid schedule never runs
  }
}

std::vector<std::string> names_of(const std::vector<JobOverview>& jobs) {
  std::vector<std::string> names;
  names.reserve(jobs.size());
  for (const JobOverview& job : jobs) {
    names.push_back(job.job.job_name);
  }
  return names;
}

void set_last_executions(StoreQueries& store, std::vector<JobOverview>& jobs) {
  auto known = store.last_executions(names_of(jobs));
  for (JobOverview& job : jobs) {
    if (const auto found = known.find(job.job.job_name); found != known.end()) {
      job.statistics = found->second;
    }
  }
}

void set_counts(StoreQueries& store, std::vector<JobOverview>& jobs) {
  std::map<std::string, ExecutionStatistics> counted;
  store.count_executions(names_of(jobs), counted);
  for (JobOverview& job : jobs) {
    if (const auto found = counted.find(job.job.job_name); found != counted.end()) {
      job.statistics.successful = found->second.successful;
      job.statistics.failed = found->second.failed;
    }
  }
}

/// Everything that the database finds, then what it cannot decide.
JobPage compute_page(StoreQueries& store, const Plan& plan, const JobQuery& query, TimePoint now) {
  std::vector<JobOverview> found = store.jobs(plan.selection);
  if (plan.last_execution) {
    set_last_executions(store, found);
  }
  std::vector<Candidate> candidates;
  for (JobOverview& overview : found) {
    Candidate candidate;
    if (plan.next_run) {
      candidate.next_run = next_run(overview.job.schedule_cron, now);
    }
    candidate.overview = std::move(overview);
    if (std::all_of(plan.keep.begin(), plan.keep.end(), [&](const Keep& keep) { return keep(candidate); })) {
      candidates.push_back(std::move(candidate));
    }
  }
  if (plan.compare) {
    std::stable_sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
      return plan.descending ? plan.compare(a, b) > 0 : plan.compare(a, b) < 0;
    });
  }
  JobPage page;
  page.total_items = static_cast<long long>(candidates.size());
  const auto first = std::min(
      candidates.size(), static_cast<std::size_t>(query.page - 1) * static_cast<std::size_t>(std::max(query.size, 0)));
  const auto last =
      query.size == 0 ? candidates.size() : std::min(candidates.size(), first + static_cast<std::size_t>(query.size));
  for (std::size_t i = first; i < last; ++i) {
    page.content.push_back(std::move(candidates[i].overview));
  }
  return page;
}

JobPage read_page(StoreQueries& store, Plan& plan, const JobQuery& query) {
  plan.selection.limit = query.size;
  plan.selection.offset = static_cast<long long>(query.page - 1) * query.size;
  JobPage page;
  page.content = store.jobs(plan.selection);
  const auto rows = static_cast<long long>(page.content.size());
  const bool is_last = query.size == 0 || (rows < query.size && (rows > 0 || query.page == 1));
  page.total_items = is_last ? plan.selection.offset + rows : store.count_jobs(plan.selection);
  return page;
}

}  // namespace

JobPage find_jobs(Store& store, const Sources& sources, const JobQuery& query, const Clock& clock) {
  Plan plan = make_plan(query, sources);
  if (plan.nothing) {
    return {};
  }
  StoreQueries queries(store);
  JobPage page = plan.by_database() ? read_page(queries, plan, query) : compute_page(queries, plan, query, clock.now());
  if (query.statistics && !page.content.empty()) {
    if (!plan.last_execution) {
      set_last_executions(queries, page.content);
    }
    set_counts(queries, page.content);
  }
  return page;
}

ExecutionPage find_executions(Store& store, const ExecutionQuery& query) {
  const auto fail = [](const std::string& why, const std::string& countermeasures) {
    throw Error(ErrorKind::usage, {"cannot query the executions", why, "Nothing was read.", countermeasures});
  };
  if (query.size < 0) {
    fail("Page size cannot be less than 1", "Give a page size of 1 or more.");
  }
  if (query.page < 1) {
    fail("Page cannot be less than 1", "Pages are counted from 1.");
  }
  if (!query.order_by.empty() && !StoreQueries::orders_executions_by(query.order_by)) {
    fail("order.property must be in [" + text::join(execution_order_properties(), ",") + "]", "Give one of these.");
  }
  constexpr std::size_t k_most_values = 10'000;
  if (query.jobs.size() + query.teams.size() > k_most_values) {
    fail("more than " + std::to_string(k_most_values) + " jobs and teams are named", "Name fewer, or none for all.");
  }
  StoreQueries queries(store);
  ExecutionPage page = queries.executions(query);
  const auto rows = static_cast<long long>(page.content.size());
  const auto first = static_cast<long long>(query.page - 1) * query.size;
  const bool is_last = query.size == 0 || (!query.per_job && rows < query.size && (rows > 0 || query.page == 1));
  page.total_items = is_last ? first + rows : queries.count_executions(query);
  return page;
}

}  // namespace vdk::control
