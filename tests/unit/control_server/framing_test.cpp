// SPDX-License-Identifier: Apache-2.0
#include "control/server/framing.hpp"

#include <doctest/doctest.h>

using namespace vdk::control::rest;

namespace {

Framing head(const std::string& headers) { return frame("POST /x HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n"); }

}  // namespace

TEST_CASE("a head tells where its body ends") {
  CHECK(head("").content_length == 0);
  CHECK(head("content-LENGTH:  12 \r\n").content_length == 12);
  CHECK(head("Transfer-Encoding: Chunked\r\n").chunked);
  CHECK(head("Expect: 100-continue\r\nContent-Length: 1\r\n").expects_continue);
}

TEST_CASE("what two readers could understand differently is refused") {
  CHECK(head("Content-Length: 1\r\nContent-Length: 1\r\n").status == 400);
  CHECK(head("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n").status == 400);
  CHECK(head("Content-Length: +1\r\n").status == 400);
  CHECK(head("Content-Length: 0x1\r\n").status == 400);
  CHECK(head("Content-Length: 99999999999999999999\r\n").status == 400);
  CHECK(head("Transfer-Encoding: gzip, chunked\r\n").status == 501);
  CHECK(head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n").status == 501);
  CHECK(head("Content-Length : 1\r\n").status == 400);
  CHECK(head("A: b\r\n folded\r\n").status == 400);
  CHECK(head("no colon\r\n").status == 400);
  CHECK(head("Host: b\r\n").status == 400);
  CHECK(head(std::string("A: b\0c\r\n", 8)).status == 400);
  CHECK(head("A: b\nContent-Length: 1\r\n").status == 400);
  CHECK(head("A: " + std::string(9000, 'x') + "\r\n").status == 431);
  CHECK(head("Expect: miracles\r\n").status == 417);
  CHECK(frame("GET  /x HTTP/1.1\r\n\r\n").status == 400);
  CHECK(frame("GET /x\r\n\r\n").status == 400);
  CHECK(frame("GET /x HTTP/2.0\r\n\r\n").status == 400);
  CHECK(frame("G(T /x HTTP/1.1\r\n\r\n").status == 400);
  CHECK(frame("GET /" + std::string(8100, 'x') + " HTTP/1.1\r\n\r\n").status == 414);
}

TEST_CASE("headers that the transport has dealt with do not reach the library") {
  const Framing framing =
      head("Range: bytes=0-1\r\nTransfer-Encoding: chunked\r\nAccept-Encoding: br\r\nX-OPID: 1\r\n");
  CHECK(framing.head == "POST /x HTTP/1.1\r\nHost: a\r\nX-OPID: 1\r\n\r\n");
}

TEST_CASE("a chunked body may arrive in pieces of any size") {
  const std::string wire = "4\r\nWiki\r\n6;ext=1\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrailer: x\r\n\r\nNEXT";
  for (std::size_t piece = 1; piece <= wire.size(); ++piece) {
    ChunkDecoder decoder;
    std::string input;
    std::string body;
    auto state = ChunkDecoder::State::more;
    for (std::size_t at = 0; at < wire.size(); at += piece) {
      input += wire.substr(at, piece);
      if (state == ChunkDecoder::State::more) {
        state = decoder.decode(input, body);
      }
    }
    CAPTURE(piece);
    CHECK(state == ChunkDecoder::State::done);
    CHECK(body == "Wikipedia in \r\n\r\nchunks.");
    CHECK(input == "NEXT");
  }
}

TEST_CASE("malformed chunks are found") {
  for (const char* wire : {"x\r\n", "-1\r\n", "\r\n", "1\r\nab\r\n", "ffffffffffffffffff\r\n"}) {
    ChunkDecoder decoder;
    std::string input = wire;
    std::string body;
    CAPTURE(wire);
    CHECK(decoder.decode(input, body) == ChunkDecoder::State::broken);
  }
  ChunkDecoder decoder;
  std::string endless(2000, '1');
  std::string body;
  CHECK(decoder.decode(endless, body) == ChunkDecoder::State::broken);
}
