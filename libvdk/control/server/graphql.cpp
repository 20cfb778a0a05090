// SPDX-License-Identifier: Apache-2.0
#include "control/server/graphql.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

#include "control/server/graphql_parser.hpp"
#include "control/server/graphql_plan.hpp"
#include "control/server/graphql_render.hpp"
#include "control/server/graphql_values.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/text.hpp"

namespace vdk::control {
namespace {

using graphql::PlannedField;
using graphql::QueryError;
using graphql::Value;
using Json = nlohmann::ordered_json;

constexpr std::string_view k_default_query =
    "{ jobs(pageNumber: 1, pageSize: 20) { content { jobName config { team description schedule { scheduleCron } } } "
    "totalPages totalItems } }";
// More jobs than this on one page: their executions are looked for among those of all jobs.
constexpr std::size_t k_most_names = 1000;

[[noreturn]] void fail(const PlannedField& field, const std::string& problem) {
  throw QueryError("DataFetchingException", "Exception while fetching data (/" + field.key + ") : " + problem,
                   {field.at}, {field.key});
}

std::optional<int> integer(const PlannedField& field, std::string_view argument) {
  const Value* value = field.argument(argument);
  const auto number = value == nullptr ? std::nullopt : text::parse_int(value->text);
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

std::optional<std::string> word(const Value& object, std::string_view member) {
  const Value* value = object.member(member);
  return value == nullptr || value->kind == Value::Kind::null ? std::nullopt : std::optional(value->text);
}

SortDirection direction_of(const std::string& word) {
  return word == "DESC" ? SortDirection::descending : SortDirection::ascending;
}

void check_page(const PlannedField& field, int size, int page) {
  if (size < 1) {
    fail(field, "Page size cannot be less than 1");
  }
  if (page < 1) {
    fail(field, "Page cannot be less than 1");
  }
}

/// Paths below `content`, with dots: "config.team".
void add_paths(const PlannedField& field, const std::string& prefix, std::vector<std::string>& paths) {
  for (const PlannedField& child : field.children) {
    const std::string path = prefix + std::string(child.name());
    paths.push_back(path);
    add_paths(child, path + ".", paths);
  }
}

JobQuery jobs_query(const PlannedField& field) {
  JobQuery query;
  query.page = integer(field, "pageNumber").value_or(0);
  query.size = integer(field, "pageSize").value_or(0);
  check_page(field, query.size, query.page);
  if (const Value* search = field.argument("search")) {
    query.search = search->text;
  }
  if (const Value* filter = field.argument("filter")) {
    for (const Value& predicate : filter->items) {
      if (predicate.items.empty()) {
        continue;
      }
      const auto sort = word(predicate, "sort");
      query.filter.push_back({word(predicate, "property").value_or("null"), word(predicate, "pattern"),
                              sort ? std::optional(direction_of(*sort)) : std::nullopt});
    }
  }
  for (const PlannedField& child : field.children) {
    if (child.name() == "content") {
      add_paths(child, "", query.search_fields);
    }
  }
  const auto selects = [&](std::string_view path) {
    return std::find(query.search_fields.begin(), query.search_fields.end(), path) != query.search_fields.end();
  };
  query.deployments = selects("deployments");
  for (const char* path : {"lastExecutionStatus", "lastExecutionTime", "lastExecutionDuration", "successfulExecutions",
                           "failedExecutions"}) {
    query.statistics = query.statistics || selects("deployments." + std::string(path));
  }
  return query;
}

std::optional<TimePoint> time_of(const Value& filter, std::string_view member) {
  const auto text = word(filter, member);
  return text ? graphql::read_date_time(*text) : std::nullopt;
}

std::vector<std::string> words_of(const Value& filter, std::string_view member) {
  std::vector<std::string> result;
  if (const Value* list = filter.member(member)) {
    for (const Value& item : list->items) {
      if (item.kind != Value::Kind::null) {
        result.push_back(item.text);
      }
    }
  }
  return result;
}

ExecutionQuery executions_query(const PlannedField& field, bool nested) {
  ExecutionQuery query;
  const auto page = integer(field, "pageNumber");
  const auto size = integer(field, "pageSize");
  if (page.has_value() != size.has_value()) {
    fail(field, std::string("Executions field must contain ") + (page ? "pageSize" : "pageNumber"));
  }
  if (page) {
    check_page(field, *size, *page);
    query.page = *page;
    query.size = *size;
  }
  if (const Value* filter = field.argument("filter")) {
    query.start_from = time_of(*filter, "startTimeGte");
    query.start_to = time_of(*filter, "startTimeLte");
    query.end_from = time_of(*filter, "endTimeGte");
    query.end_to = time_of(*filter, "endTimeLte");
    query.jobs = words_of(*filter, "jobNameIn");
    query.teams = words_of(*filter, "teamNameIn");
    for (const std::string& status : words_of(*filter, "statusIn")) {
      query.statuses.push_back(*parse_execution_status(text::lower(status)));
    }
    if (const Value* jobs = filter->member("jobNameIn"); nested && jobs != nullptr && jobs->kind != Value::Kind::null) {
      fail(field, "The jobNameIn filter is not supported for nested executions");
    }
  }
  if (const Value* order = field.argument("order")) {
    query.order_by = word(*order, "property").value_or("null");
    const auto direction = word(*order, "direction");
    if (!direction) {
      fail(field, "Executions field must contain order.direction");
    }
    query.direction = direction_of(*direction);
  }
  return query;
}

/// Runs a query of the service; what it refuses is an error of this field.
template <typename Work>
auto fetch(const PlannedField& field, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) {
      throw;
    }
    fail(field, error.text().why);
  }
}

/// The executions below the deployments of a page of jobs. The pages that hold them stay with the caller.
graphql::NestedExecutions nested_executions(Service& service, const PlannedField& jobs, const JobPage& page,
                                            std::vector<std::unique_ptr<ExecutionPage>>& pages) {
  std::vector<std::string> deployed;
  for (const JobOverview& job : page.content) {
    if (job.deployment) {
      deployed.push_back(job.job.job_name);
    }
  }
  graphql::NestedExecutions result;
  const auto add = [&](const PlannedField& field) {
    ExecutionQuery query = executions_query(field, true);
    query.per_job = true;
    if (deployed.size() <= k_most_names) {
      query.jobs = deployed;
    }
    auto& by_job = result[&field];
    if (deployed.empty()) {
      return;
    }
    pages.push_back(std::make_unique<ExecutionPage>(fetch(field, [&] { return service.find_executions(query); })));
    const ExecutionPage& found = *pages.back();
    for (std::size_t i = 0; i < found.content.size(); ++i) {
      by_job[found.content[i].job_name].push_back({&found.content[i], &found.teams[i]});
    }
  };
  for (const PlannedField& content : jobs.children) {
    for (const PlannedField& deployments : content.children) {
      if (deployments.name() == "deployments") {
        for (const PlannedField& field : deployments.children) {
          if (field.name() == "executions") {
            add(field);
          }
        }
      }
    }
  }
  return result;
}

/// content, totalPages and totalItems as the original always has them, then whatever has another name.
template <typename Content>
Json page_of(const PlannedField& root, long long total_pages, long long total_items, const Content& content) {
  Json data = {{"content", nullptr}, {"totalPages", 0}, {"totalItems", 0}};
  for (const PlannedField& field : root.children) {
    if (field.name() == "content") {
      data[field.key] = content(field);
    } else if (field.definition == nullptr) {
      data[field.key] = root.definition->type.name;
    } else {
      data[field.key] = field.name() == "totalPages" ? total_pages : total_items;
    }
  }
  return data;
}

Json answer_jobs(Service& service, const PlannedField& root, TimePoint now) {
  const JobQuery query = jobs_query(root);
  const JobPage page = fetch(root, [&] { return service.find_jobs(query); });
  std::vector<std::unique_ptr<ExecutionPage>> pages;
  const graphql::NestedExecutions executions = nested_executions(service, root, page, pages);
  const graphql::RenderContext context{service, now, executions};
  // With this formula an empty answer has one page, as in the original.
  const long long total_pages = (page.total_items - 1) / query.size + 1;
  return page_of(root, total_pages, page.total_items, [&](const PlannedField& field) {
    Json content = Json::array();
    for (const JobOverview& job : page.content) {
      content.push_back(graphql::render_job(field, job, context));
    }
    return content;
  });
}

Json answer_executions(Service& service, const PlannedField& root, TimePoint now) {
  const ExecutionQuery query = executions_query(root, false);
  const ExecutionPage page = fetch(root, [&] { return service.find_executions(query); });
  const graphql::NestedExecutions none;
  const graphql::RenderContext context{service, now, none};
  const long long total_pages = query.size == 0 ? 1 : (page.total_items + query.size - 1) / query.size;
  return page_of(root, total_pages, page.total_items, [&](const PlannedField& field) {
    Json content = Json::array();
    for (std::size_t i = 0; i < page.content.size(); ++i) {
      content.push_back(graphql::render_execution(field, {&page.content[i], &page.teams[i]}, context));
    }
    return content;
  });
}

/// The root field's own name is not in the answer, so there can be one only.
Json answer_operation(Service& service, const std::vector<PlannedField>& fields, TimePoint now) {
  const PlannedField* root = nullptr;
  Json data = Json::object();
  for (const PlannedField& field : fields) {
    if (field.definition == nullptr) {
      data[field.key] = field.parent->name;
    } else if (root != nullptr) {
      throw QueryError("ValidationError", "Only one of jobs and executions can be queried at a time", {field.at});
    } else {
      root = &field;
    }
  }
  if (root != nullptr) {
    data = root->name() == "jobs" ? answer_jobs(service, *root, now) : answer_executions(service, *root, now);
  }
  return data;
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

GraphqlAnswer error_answer(const QueryError& error) {
  Json entry = {{"message", error.what()}, {"locations", Json::array()}};
  for (const graphql::Position& position : error.locations()) {
    entry["locations"].push_back({{"line", position.line}, {"column", position.column}});
  }
  if (!error.path().empty()) {
    entry["path"] = error.path();
  }
  entry["extensions"] = {{"classification", error.classification()}};
  return {400, dump({{"errors", Json::array({std::move(entry)})}, {"data", nullptr}})};
}

}  // namespace

GraphqlAnswer answer_graphql(Service& service, const std::string& /*team*/, const std::string& query,
                             const std::string& operation_name, const std::string& variables_json, const Clock& clock) {
  try {
    const graphql::Document document = graphql::parse(query.empty() ? k_default_query : std::string_view(query));
    const auto fields = graphql::plan(document, operation_name, graphql::read_variables(variables_json));
    const Json data = answer_operation(service, fields, clock.now());
    return {200, dump({{"data", data}, {"errors", Json::array()}})};
  } catch (const QueryError& error) {
    return error_answer(error);
  }
}

}  // namespace vdk::control
