// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/address.hpp"
#include "plugin/fetch/providers.hpp"

namespace vdk::plugin {

std::unique_ptr<Provider> make_provider(const ProviderConfig& config, const std::filesystem::path& /*scratch*/) {
  switch (config.kind) {
    case ProviderKind::http:
      return make_http_provider(config);
    case ProviderKind::file:
      return make_file_provider(config);
    default:
      throw Error(ErrorKind::unsupported, {.what = "the plugin provider '" + config.name + "' cannot be used",
                                           .why = "this kind of provider is not there yet",
                                           .consequences = "Nothing was fetched.",
                                           .countermeasures = ""});
  }
}

}  // namespace vdk::plugin
