// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "control/server/api.hpp"

namespace vdk::control::rest {

struct Route {
  std::string_view method;
  std::string_view path;  ///< segments in braces are variables
  /// One of the two: with a Service of the pool or without one.
  std::function<ApiAnswer(Service&, const ApiRequest&)> serve;
  std::function<ApiAnswer(const ApiRequest&)> serve_alone;
  bool login = true;
  bool any_team = false;  ///< the team of the path is no reason to refuse somebody: the answer has nothing of it
  bool page = false;      ///< the operations page reads it: its login counts here too
};
/// The same route for the operations page as well.
[[nodiscard]] inline Route with_page(Route route) {
  route.page = true;
  return route;
}

struct Match {
  const Route* route = nullptr;
  std::map<std::string, std::string, std::less<>> segments;
  std::vector<std::string_view> methods;  ///< that the path knows, when the asked one is not among them
};

/// Finds the route of a method and an undecoded path.
class Router {
 public:
  explicit Router(std::vector<Route> routes);
  [[nodiscard]] Match find(std::string_view method, std::string_view path) const;
  [[nodiscard]] const std::vector<Route>& routes() const noexcept { return m_routes; }

 private:
  struct Entry {
    std::vector<std::string_view> segments;
    std::size_t route;
  };
  std::vector<Route> m_routes;
  std::vector<Entry> m_entries;
};

/// %41 and the like; nothing for what is not valid UTF-8 without control characters. `plus` = a plus is a space.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view s, bool plus);
/// The decoded query; Error(usage) for what cannot be decoded.
[[nodiscard]] std::multimap<std::string, std::string, std::less<>> parse_query(std::string_view query);

}  // namespace vdk::control::rest
