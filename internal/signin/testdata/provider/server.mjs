// An OpenID provider for tests: oidc-provider (https://github.com/panva/node-oidc-provider,
// certified), with people in memory. Usage: node server.mjs REDIRECT_URI SECRET. It listens
// on the loopback, prints its port, and ends when its standard input does.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [redirect, secret] = process.argv.slice(2);
const groups = { ann: ["everybody", "lab-admins"], ben: ["everybody"], eve: ["chess"] };

const server = createServer((request, response) => handle(request, response));
let handle;
server.listen(0, "127.0.0.1", () => {
  const provider = new Provider(`http://127.0.0.1:${server.address().port}`, {
    clients: [{ client_id: "stump", client_secret: secret, redirect_uris: [redirect], response_types: ["code"] }],
    pkce: { required: () => true },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username", "groups"] },
    findAccount: (_, id) => groups[id] && {
      accountId: id,
      claims: async () => ({ sub: id, email: `${id}@lab.example`, email_verified: true, preferred_username: id, groups: groups[id] }),
    },
  });
  handle = provider.callback();
  console.log(server.address().port);
});
process.stdin.on("end", () => process.exit()).resume();
