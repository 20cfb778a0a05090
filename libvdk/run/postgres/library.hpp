// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <postgresql/libpq-fe.h>

#include <string>

namespace vdk::run::postgres {

// clang-format off
#define VDK_PQ_FUNCTIONS(F) \
  F(PQconnectdbParams) F(PQconninfoParse) F(PQconninfoFree) F(PQfreemem) F(PQfinish) \
  F(PQstatus) F(PQerrorMessage) F(PQsendQuery) F(PQsendQueryParams) F(PQisBusy) \
  F(PQconsumeInput) F(PQsocket) F(PQgetResult) F(PQclear) F(PQresultStatus) \
  F(PQresultErrorField) F(PQntuples) F(PQgetvalue) F(PQputCopyData) F(PQputCopyEnd) \
  F(PQsetNoticeReceiver) F(PQgetCancel) F(PQcancel) F(PQfreeCancel) F(PQsetSingleRowMode) \
  F(PQtransactionStatus) F(PQparameterStatus) F(PQcmdStatus) F(PQcmdTuples) F(PQnfields) \
  F(PQfname) F(PQftype) F(PQfmod) F(PQfsize) F(PQgetisnull) F(PQgetlength) F(PQgetCopyData) \
  F(PQserverVersion) F(PQhost) F(PQport) F(PQdb)
// clang-format on

/// The functions of libpq, which is loaded when the first of them is needed.
struct Library {
#define VDK_DECLARE(name) decltype(&::name) name = nullptr;
  VDK_PQ_FUNCTIONS(VDK_DECLARE)
#undef VDK_DECLARE
};

/// Throws Error(platform) when the library is not installed.
[[nodiscard]] const Library& pq();

/// A field of a refused or broken query; empty when it is not there.
[[nodiscard]] std::string field(const PGresult* result, int which);

}  // namespace vdk::run::postgres
