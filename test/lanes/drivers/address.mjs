// The addresses of the servers, in a private network.

/** 198.18.0.0/15 is reserved for benchmarks of networks (RFC 2544). */
export const CLIENT = '198.18.0.1';
export const SERVER = '198.18.0.2';
/** Of the same machine, which drops what it gets for this address: a server after a failover that went wrong. */
export const DEAD = '198.18.0.3';
/** Of the server, which listens on no port there: it refuses connections. */
export const REFUSING = '198.18.0.4';
/** The same in IPv6. Only the refusing kernel answers there: what listens, listens on IPv4. */
export const CLIENT6 = 'fd00:18::1';
export const SERVER6 = 'fd00:18::2';
export const REFUSING6 = 'fd00:18::4';

/** Debian's servers. The user nobody cannot listen on the usual ports below 1024. */
export const PORTS = {
  ...{ postgres: 5432, redis: 6379, mariadb: 3306, mosquitto: 1883, rabbitmq: 5672, nats: 4222 },
  ...{ memcached: 11_211, etcd: 2379, beanstalkd: 11_300, slapd: 1389, sshd: 2222 },
  ...{ dovecot: 1143, vsftpd: 2121 },
};
/** A second port of Mosquitto, for MQTT over WebSocket. */
export const MQTT_WEBSOCKET_PORT = 8083;
/** Servers of npm. */
export const NPM_PORTS = { dynalite: 4567, smtp: 1025, modbus: 1502 };
/** Several ports per server: clients that share connections by origin then have one for each case. */
export const OWN_PORTS = {
  ...{ http: 8_000, http2: 8_100, grpc: 8_200, ws: 8_300, socketIo: 8_400, graphql: 8_500 },
};

/** Milliseconds of a clock that is the same in all processes of the machine. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;
