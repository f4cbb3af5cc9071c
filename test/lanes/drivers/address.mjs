// Where the servers are, in a network that nobody else has.

/** 198.18.0.0/15 is for tests of networks (RFC 2544). */
export const CLIENT = '198.18.0.1';
export const SERVER = '198.18.0.2';

export const PORTS = { postgres: 5432, redis: 6379, mariadb: 3306, mosquitto: 1883 };
/** Several ports for each: clients which share connections by origin have then one for each case. */
export const OWN_PORTS = { http: 8_000, http2: 8_100, grpc: 8_200, ws: 8_300 };

/** Milliseconds of a clock that all processes of the machine share. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;
