localrules:
    score,


rule score:
    input:
        made_by("score"),


rule measure:
    input:
        afresh("score"),
        **reads("score", STUDY.score.extractors),
    output:
        **writes("score"),
    log:
        f"{LOGS}/score/{{dataset}}/{{method}}/seed{{seed}}.log",
    benchmark:
        f"{RUNTIMES}/score/{{dataset}}/{{method}}/seed{{seed}}.jsonl"
    conda:
        "../envs/sagan-div.yaml"
    resources:
        gpu=1,
    params:
        settings=told("score"),
        study=STUDY.study,
    message:
        "score {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "sagan-div score --study {params.study} --settings {params.settings:q} --threads {threads} > {log} 2>&1"
