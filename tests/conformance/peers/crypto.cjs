// Reads one JSON object per line: keys, a text, and what the other side encrypted. Writes what @wecom/crypto makes of
// it: the text it decrypts, the signature it computes, and its own encryption of the text.
const { decrypt, encrypt, getSignature } = require("@wecom/crypto");
const readline = require("node:readline");

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { token, key, receiveId, timestamp, nonce, text, theirs } = JSON.parse(line);
  const opened = decrypt(key, theirs);
  const sealed = encrypt(key, text, receiveId);
  const answer = {
    message: opened.message,
    id: opened.id,
    theirSignature: getSignature(token, timestamp, nonce, theirs),
    sealed,
    signature: getSignature(token, timestamp, nonce, sealed),
  };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
