// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "control/remote/records.hpp"

/// The jobs query of the API (contract control 4.5): its text and the reading of its answer.
namespace vdk::control::remote {

/// What is selected besides name, team, description and schedule.
struct Selection {
  bool deployments = true;
  int executions = 0;  ///< newest ones of each job
  bool statistics = false;
  bool source_url = false;
};

/// `text` as a GraphQL string literal.
[[nodiscard]] std::string graphql_text(std::string_view text);
/// The query that the original's `list` sends, for one page.
[[nodiscard]] std::string list_query(const std::string& team, const Selection& selection, int page, int size);
[[nodiscard]] std::string jobs_query(const JobQuery& query, const Selection& selection);
[[nodiscard]] std::string source_url_query(const std::string& job);
/// Rows of one answer; a null content is an empty page.
[[nodiscard]] std::vector<JobOverview> read_rows(const Json& data);

}  // namespace vdk::control::remote
