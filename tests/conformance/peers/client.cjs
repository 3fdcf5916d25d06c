// wechat-enterprise-api, unchanged but for its address: fetches a token and uses the API. Arguments: the address,
// corp id, secret, agent id, userid, a file. Writes one JSON object with each answer, or the error of each call.
const API = require("wechat-enterprise-api");

const [address, corpId, secret, agentId, userid, file] = process.argv.slice(2);
const api = new API(corpId, secret, agentId);
api.prefix = `${address}/cgi-bin/`;
const stranger = new API(corpId, "no-such-secret", agentId);
stranger.prefix = api.prefix;

const call = (work) =>
  new Promise((resolve) => {
    work((error, data) => resolve(error ? { error: error.message, code: error.code } : data));
  });

async function main() {
  const answers = {
    token: await call((done) => api.getLatestToken(done)),
    user: await call((done) => api.getUser(userid, done)),
    sent: await call((done) => api.send({ touser: userid }, { msgtype: "text", text: { content: "有顾客" } }, done)),
    uploaded: await call((done) => api.uploadMedia(file, "file", done)),
    departments: await call((done) => api.getDepartments(done)),
    refused: await call((done) => stranger.getLatestToken(done)),
    unknownUser: await call((done) => api.getUser("nobody", done)),
  };
  process.stdout.write(JSON.stringify(answers));
}

main();
