export * from './backoff';
export * from './protocol';
export * from './socket';
