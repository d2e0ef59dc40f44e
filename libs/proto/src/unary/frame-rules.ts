// SPDX-License-Identifier: Apache-2.0
// The allowed stream and length of each frame type: RFC 9113 section 6.
import { CALL_STREAM_ID, type Frame, FrameType, type Violation } from "./frames.ts";
import { protocolError, sizeError } from "./violations.ts";

/** Checks the size of fixed-size frames, and that a frame belongs to the connection or to the one stream. */
export function checkPlace(frame: Frame): Violation | undefined {
  switch (frame.type) {
    case FrameType.settings:
    case FrameType.ping:
    case FrameType.goaway:
      if (frame.streamId !== 0) {
        return protocolError("a frame of the connection on a stream");
      }
      break;
    case FrameType.data:
    case FrameType.headers:
    case FrameType.rstStream:
      if (frame.streamId !== CALL_STREAM_ID) {
        return protocolError("a frame on a stream that is not open");
      }
      break;
    case FrameType.windowUpdate:
      if (frame.streamId > CALL_STREAM_ID) {
        return protocolError("a frame on a stream that is not open");
      }
      break;
    case FrameType.priority:
      if (frame.streamId === 0) {
        return protocolError("a frame of a stream on the connection");
      }
      break;
    default:
      return undefined;
  }
  return checkSize(frame);
}

function checkSize(frame: Frame): Violation | undefined {
  const { length } = frame.payload;
  switch (frame.type) {
    case FrameType.ping:
      return length === 8 ? undefined : sizeError("PING");
    case FrameType.goaway:
      return length >= 8 ? undefined : sizeError("GOAWAY");
    case FrameType.rstStream:
    case FrameType.windowUpdate:
      return length === 4 ? undefined : sizeError("RST_STREAM or WINDOW_UPDATE");
    case FrameType.priority:
      return length === 5 ? undefined : sizeError("PRIORITY");
    default:
      return undefined;
  }
}
