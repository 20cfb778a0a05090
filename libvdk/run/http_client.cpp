// SPDX-License-Identifier: Apache-2.0
#include "run/http_client.hpp"

// The macros that check argument types call curl functions by their linked names.
#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>
#include <dlfcn.h>

#include "vdk/core/error.hpp"
#undef curl_easy_setopt
#undef curl_easy_getinfo

namespace vdk::run {

namespace {

struct Curl {
  decltype(&::curl_easy_init) init = nullptr;
  decltype(&::curl_easy_setopt) setopt = nullptr;
  decltype(&::curl_easy_perform) perform = nullptr;
  decltype(&::curl_easy_getinfo) getinfo = nullptr;
  decltype(&::curl_easy_cleanup) cleanup = nullptr;
  decltype(&::curl_easy_strerror) strerror = nullptr;
  decltype(&::curl_slist_append) append = nullptr;
  decltype(&::curl_slist_free_all) free_all = nullptr;
};

template <typename Function>
bool load(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

Curl load_curl() {
  void* library = nullptr;
  for (const char* name : {"libcurl.so.4", "libcurl-gnutls.so.4"}) {
    if (library == nullptr) {
      library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    }
  }
  Curl curl;
  const bool complete =
      library != nullptr && load(library, "curl_easy_init", curl.init) &&
      load(library, "curl_easy_setopt", curl.setopt) && load(library, "curl_easy_perform", curl.perform) &&
      load(library, "curl_easy_getinfo", curl.getinfo) && load(library, "curl_easy_cleanup", curl.cleanup) &&
      load(library, "curl_easy_strerror", curl.strerror) && load(library, "curl_slist_append", curl.append) &&
      load(library, "curl_slist_free_all", curl.free_all);
  if (!complete) {
    throw Error(ErrorKind::platform, {"cannot send rows over HTTP", "libcurl.so.4 cannot be loaded",
                                      "the rows are not sent, and the step fails", "Install the package libcurl4"});
  }
  return curl;
}

std::size_t discard(char* /*data*/, std::size_t size, std::size_t count, void* /*unused*/) { return size * count; }

}  // namespace

HttpAnswer http_post(const std::string& url, const std::string& body, const std::string& content_type) {
  static const Curl curl = load_curl();
  CURL* handle = curl.init();
  curl_slist* headers = curl.append(nullptr, ("Content-Type: " + content_type).c_str());
  headers = curl.append(headers, "Expect:");
  curl.setopt(handle, CURLOPT_URL, url.c_str());
  curl.setopt(handle, CURLOPT_POSTFIELDS, body.data());
  curl.setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl.setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl.setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl.setopt(handle, CURLOPT_CONNECTTIMEOUT, 10L);
  curl.setopt(handle, CURLOPT_TIMEOUT, 300L);
  curl.setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl.setopt(handle, CURLOPT_WRITEFUNCTION, discard);
  const CURLcode code = curl.perform(handle);
  HttpAnswer answer;
  if (code == CURLE_OK) {
    curl.getinfo(handle, CURLINFO_RESPONSE_CODE, &answer.status);
  } else {
    answer.error = curl.strerror(code);
  }
  curl.free_all(headers);
  curl.cleanup(handle);
  return answer;
}

}  // namespace vdk::run
